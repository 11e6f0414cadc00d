//! Paths, names and bodies by hand from the CIP Networks Library and cut from captures.

use proptest::prelude::*;
use quaywatch_model::OperationClass;

use super::connection::{CONNECTIONS_LIMIT, Connection, Connections, Open, Serial, closed, opened};
use super::identity::Device;
use super::message::{Reply, Request, SERVICES_LIMIT, parts, unconnected_send};
use super::path::{self, Key, Segment, TEXT_LIMIT, Target};
use super::pccc::Command;
use super::{names, vendors};
use crate::bytes::Cursor;
use crate::testing::hex;

fn text(path: &str) -> (String, String, Target) {
    let (mut object, mut route) = (String::new(), String::new());
    let target = path::describe(&hex(path), &mut object, &mut route);
    assert_eq!(target, path::target(&hex(path)));
    (object, route, target)
}

#[test]
fn paths_are_told_as_engineers_write_them() {
    for (path, object, route) in [
        ("20 01 24 01 30 07", "class 0x01 instance 1 attribute 7", ""),
        ("20 04 24 64 2c 65 2c 66", "class 0x04 instance 100 connection-point 101 connection-point 102", ""),
        ("21 00 2b 03 24 00", "class 0x32b instance 0", ""),
        ("20 6b 25 00 fa 1b", "class 0x6b instance 7162", ""),
        ("20 6b 26 00 01 00 02 00", "class 0x6b instance 131073", ""),
        ("20 8e 24 01 20 74 24 01", "class 0x8e instance 1 class 0x74 instance 1", ""),
        // emreekin-specialcip frame 2.
        ("91 0c 5f494f5f454d5f444f5f3030", "_IO_EM_DO_00", ""),
        ("91 03 546167 00 28 05 91 02 4142", "Tag[5].AB", ""),
        ("01 00 20 02 24 01", "class 0x02 instance 1", "1/0"),
        ("12 0c 31302e302e302e3230302e31 01 03", "", "2/10.0.0.200.1 1/3"),
        ("1f 02 0100 0a0b", "", "1/0a0b"),
        ("34 04 0100 0e00 3600 14 0b 20 04 24 01", "class 0x04 instance 1", ""),
        ("43 05 20 04", "class 0x04", ""),
        ("50 01 aabb 80 01 0000 20 04", "class 0x04", ""),
        ("62 4142 00 20 01", "AB class 0x01", ""),
    ] {
        let told = text(path);
        assert_eq!((told.0.as_str(), told.1.as_str(), told.2.broken), (object, route, false), "{path}");
    }
    assert_eq!(text("01 03 20 01 24 01").2.slot, Some(3));
    let key = text("34 04 0100 0e00 3600 94 0b").2.key;
    assert_eq!(key, Some(Key { vendor: 1, device_type: 14, product_code: 54, major: 0x94, minor: 11 }));
}

#[test]
fn paths_that_break_off_say_so() {
    for path in ["20", "21 00 01", "34 05", "91 04 4142", "60", "e0", "1f", "80 02 00", "23 01", "3c 01"] {
        assert!(text(path).2.broken, "{path}");
    }
    // The text of a path is bounded, whatever it holds.
    let long =
        hex("91 ff").into_iter().chain(std::iter::repeat_n(b'A', 255)).chain([0]).collect::<Vec<u8>>().repeat(10);
    let (mut object, mut route) = (String::new(), String::new());
    path::describe(&long, &mut object, &mut route);
    assert!(object.len() < TEXT_LIMIT + 256);
}

#[test]
fn a_segment_is_read_once() {
    let bytes = hex("20 01 e1 24 01");
    let segments: Vec<_> = path::segments(&bytes).collect();
    assert_eq!(segments, [Ok(Segment::Class(1)), Err(())]);
}

fn class(code: u8, path: &str) -> (&'static str, OperationClass) {
    let service = names::service(code, &path::target(&hex(path)));
    (service.name, service.class)
}

#[test]
fn services_are_classed_by_object() {
    use OperationClass::{Configure, Control, Identify, Program, Read, Session, Write};
    assert_eq!(class(0x01, "20 01 24 01"), ("Get Attributes All", Identify));
    assert_eq!(class(0x0e, "20 04 24 64 30 03"), ("Get Attribute Single", Read));
    assert_eq!(class(0x10, "20 04 24 64 30 03"), ("Set Attribute Single", Write));
    assert_eq!(class(0x10, "20 f5 24 01 30 05"), ("Set Attribute Single", Configure));
    assert_eq!(class(0x04, "20 8b 24 01"), ("Set Attribute List", Configure));
    assert_eq!(class(0x05, "20 01 24 01"), ("Reset", Control));
    assert_eq!(class(0x06, "20 8e 24 01"), ("Start", Control));
    assert_eq!(class(0x07, "20 8e 24 01"), ("Stop", Control));
    assert_eq!(class(0x4b, "20 8e 24 01 20 74 24 01"), ("Lock Controller", Control));
    assert_eq!(class(0x4c, "20 8e 24 01 20 74 24 01"), ("Unlock Controller", Control));
    assert_eq!(class(0x08, "20 68 24 00"), ("Create", Program));
    assert_eq!(class(0x08, "20 06 24 00"), ("Create", Configure));
    assert_eq!(class(0x54, "20 06 24 01"), ("Forward Open", Session));
    assert_eq!(class(0x4c, "91 02 4142"), ("Read Tag", Read));
    assert_eq!(class(0x4d, "91 02 4142"), ("Write Tag", Write));
    assert_eq!(class(0x4d, "20 6b 25 00 01 00"), ("Write Tag", Write));
    assert_eq!(class(0x4d, "20 a1 24 01"), ("Firmware Block", Configure));
    assert_eq!(class(0x4c, "20 6d 24 01"), ("Read Routine", Program));
    assert_eq!(class(0x4c, "20 72 24 01").0, "");
    assert_eq!(names::status(0x16), "object does not exist");
    assert_eq!(names::status(0xff), "object class specific error");
    assert_eq!((vendors::vendor(1), vendors::vendor(0xffff)), ("Rockwell Automation/Allen-Bradley", ""));
    assert_eq!(vendors::device_type(0x0e), "Programmable Logic Controller");
}

// quickdraw-cl5000eip-reboot-or-restart frames 21, 22 and 31.
#[test]
fn connections_open_and_close() {
    let request = hex(
        "54 02 2006 2401 07f9 14000080 1300fe80 1400 4d00 f32b9532 00000000 00127a00 f443 00127a00 f443 a3 03 01 00 2002 2401",
    );
    let request = Request::read(&request).unwrap();
    let open = Open::read(request.data, false).unwrap();
    let serial = Serial { number: 20, vendor: 77, originator: 0x3295_2bf3 };
    assert_eq!((open.serial, open.to_target_interval, open.transport & 0x0f), (serial, 8_000_000, 3));
    assert_eq!(open.path, hex("01 00 2002 2401"));
    let reply = hex("d4 00 00 00 01037900 1300fe80 1400 4d00 f32b9532 00127a00 00127a00 00 00");
    assert_eq!(opened(Reply::read(&reply).unwrap().data), Some((0x0079_0301, 0x80fe_0013, serial)));
    let request = hex("4e 02 2006 2401 07f9 1400 4d00 f32b9532 03 00 01 00 2002 2401");
    assert_eq!(closed(Request::read(&request).unwrap().data).unwrap().0, serial);
}

#[test]
fn connections_are_bounded() {
    let mut connections = Connections::default();
    for number in 0..1000 {
        let serial = Serial { number, vendor: 1, originator: 1 };
        let id = u32::from(number);
        connections.add(Connection { serial, to_target: id, to_originator: id, slot: None, routed: false });
    }
    assert_eq!(connections.count(), CONNECTIONS_LIMIT);
    assert_eq!(connections.find(999, false).map(|found| found.serial.number), Some(999));
    assert_eq!(connections.find(1, true), None);
}

#[test]
fn packets_of_services_are_taken_apart() {
    let data = hex("0200 0600 0800 aabb ccdd ee");
    let taken: Vec<_> = parts(&data).collect();
    assert_eq!(taken, [Some(&hex("aabb")[..]), Some(&hex("ccddee")[..])]);
    // Offsets that run backwards or out.
    assert_eq!(parts(&hex("0200 0900 0600 aabb")).collect::<Vec<_>>(), [None, Some(&hex("aabb")[..])]);
    assert_eq!(parts(&hex("ffff 0000")).count(), SERVICES_LIMIT);
    let wrapped = hex("05 f7 0500 0e02200124 00 01 00 01 00");
    let (inner, route) = unconnected_send(&wrapped).unwrap();
    assert_eq!((inner, route), (&hex("0e02200124")[..], &hex("0100")[..]));
}

// quickdraw-enip-test frame 7, from the vendor id on.
#[test]
fn devices_are_identified() {
    let data = hex("0100 0c00 3a00 04 03 3000 8e4d5200 0b 313735362d454e42542f41");
    let device = Device::read(&mut Cursor::new(&data)).unwrap();
    assert_eq!((device.vendor, device.device_type, device.product_code), (Some(1), Some(12), Some(58)));
    assert_eq!((device.revision, device.serial), (Some((4, 3)), Some(0x0052_4d8e)));
    assert_eq!(device.name.as_deref(), Some("1756-ENBT/A"));
    // Get_Attribute_List of 7 and 1, where 9 is refused.
    let list = hex("0300 0900 1400 0700 0000 02 4142 0100 0000 2f00");
    let device = Device::read_list(&mut Cursor::new(&list));
    assert_eq!((device.name.as_deref(), device.vendor), (Some("AB"), Some(47)));
}

// 1770-6.5.16 pages 7-17 and 7-6.
#[test]
fn pccc_commands_bear_names() {
    let read = Command::read(&hex("07 4d00 12345678 0f 00 0100 a2 02 07 89 00 00")).unwrap();
    assert_eq!(read.name(), ("PCCC Protected Typed Logical Read, three fields", OperationClass::Read));
    let mode = Command::read(&hex("07 4d00 12345678 0f 00 0100 80 06")).unwrap();
    assert_eq!(mode.name(), ("PCCC Change Mode", OperationClass::Control));
    assert_eq!(Command::status(&hex("07 4d00 12345678 4f 10 0100")), Some(0x10));
    assert_eq!(Command::read(&[0]), None);
}

proptest! {
    #[test]
    fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..200)) {
        let (mut object, mut route) = (String::new(), String::new());
        let target = path::describe(&data, &mut object, &mut route);
        let _ = names::service(data.first().copied().unwrap_or(0), &target);
        let _ = (Request::read(&data), Reply::read(&data), unconnected_send(&data), opened(&data), closed(&data));
        let _ = (Open::read(&data, false), Open::read(&data, true), Command::read(&data), Command::status(&data));
        let _ = (parts(&data).count(), Device::read(&mut Cursor::new(&data)), Device::read_list(&mut Cursor::new(&data)));
    }
}
