//! S7comm-plus: tshark 4.0 has no dissector, so whole captures are held against what must be true of any conversation.

use std::path::Path;

use quaywatch_model::{At, Mark, Observation, SegmentId, Sink};
use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::engine::{Engine, Options};
use quaywatch_wire::capture::{self, Merged};

#[derive(Default)]
struct Count {
    weird: usize,
    undecoded: usize,
    paired: usize,
    asked_alone: usize,
    answered_alone: usize,
    programs: usize,
    identities: usize,
    controls: usize,
    valued: usize,
}

impl Sink for Count {
    fn emit(&mut self, _at: At, observation: Observation<'_>) {
        match observation {
            Observation::Weird(weird) if weird.protocol == "s7comm-plus" => self.weird += 1,
            Observation::Program(program) if program.protocol == "s7comm-plus" => self.programs += 1,
            Observation::Identity(identity) if identity.method.starts_with("s7comm-plus") => self.identities += 1,
            Observation::Operation(operation) if operation.protocol == "s7comm-plus" && operation.code == 0x33 => {
                self.valued += usize::from(operation.detail.contains("\"values\":[\""));
            }
            Observation::Operation(operation) if operation.protocol == "s7comm-plus" => {
                self.valued += usize::from(operation.detail.contains("\"values\":[\""));
                self.controls += usize::from(operation.name == "stop" || operation.name == "run");
                match (operation.request_frame, operation.reply_frame) {
                    (Some(_), Some(_)) => self.paired += 1,
                    (Some(_), None) => self.asked_alone += 1,
                    _ => self.answered_alone += 1,
                }
            }
            _ => {}
        }
    }

    fn mark(&mut self, mark: Mark) {
        self.undecoded += usize::from(matches!(mark, Mark::Undecoded(why) if why.starts_with("unknown form")));
    }
}

#[test]
fn whole_captures_are_consistent() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures/s7comm-plus");
    if !folder.is_dir() {
        println!("skipped: the shared captures are not beside this checkout");
        return;
    }
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut count = Count::default();
    for file in files {
        let inputs = capture::expand(&[file]);
        let mut merged = Merged::open(&inputs.list, capture::Options::default());
        let mut engine = Engine::new(PROTOCOLS, Options::default());
        while let Some(packet) = merged.next() {
            engine.packet(&packet, SegmentId(0), &mut count);
        }
        engine.finish(&mut count);
    }
    println!(
        "invariants s7comm-plus: {} paired, {} requests and {} responses alone, {} weird, {} of unknown form, {} programs, {} \
         identities, {} stop or run, {} with values",
        count.paired,
        count.asked_alone,
        count.answered_alone,
        count.weird,
        count.undecoded,
        count.programs,
        count.identities,
        count.controls,
        count.valued
    );
    assert_eq!(count.weird, 0);
    assert_eq!(count.undecoded, 0);
    assert!(count.paired >= 600);
    assert!(count.answered_alone * 100 <= count.paired);
    assert!(count.controls > 0 && count.programs > 0 && count.identities > 0);
}
