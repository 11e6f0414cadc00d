//! Whole captures of PROFINET and MRP: what no table of tshark's holds.

use crate::harness::{Table, decode, shared};

/// Rows of these protocols over one capture: their kinds and names.
fn names(file: &str) -> Option<Vec<String>> {
    let table = Table {
        name: "profinet-rt",
        protocols: &["profinet-rt", "profinet-ptcp", "profinet-io-cm", "mrp"],
        kinds: &["weird"],
        fields: &[],
        counts: |_| true,
        explained: &[],
        wanted: 0,
    };
    let rows = decode(&shared()?, file, &table);
    let own = |row: &serde_json::Map<_, serde_json::Value>| format!("{} {}", row["kind"], row["name"]).replace('"', "");
    Some(rows.iter().map(|(_, row)| own(row)).collect())
}

#[test]
fn no_capture_holds_a_deviation() {
    for file in [
        "mixed/agentcarter-1.pcapng",
        "mixed/agentcarter-teb.pcapng",
        "profinet/icsnpp-profinet-io-cm.pcapng",
        "profinet/icsnpp-profinet-io-cm-mixed-1.pcap",
        "profinet/icsnpp-profinet-io-cm-write.pcapng",
        "profinet/iti-profinet-rt.pcap",
        "profinet/smehner-set-attack.pcap",
    ] {
        let Some(names) = names(file) else { return };
        let odd: Vec<_> = names.iter().filter(|name| name.starts_with("weird")).collect();
        assert!(odd.is_empty(), "{file}: {odd:?}");
    }
}

#[test]
fn each_ring_port_is_told_at_first_sight_and_at_the_end() {
    let Some(names) = names("mixed/agentcarter-teb.pcapng") else { return };
    let count = |wanted: &str| names.iter().filter(|name| *name == wanted).count();
    assert_eq!((count("operation ring test"), count("operation ring tests")), (2, 2), "{names:?}");
}

#[test]
fn a_rename_breaks_the_relationship_off() {
    let Some(names) = names("profinet/smehner-set-attack.pcap") else { return };
    let wanted = ["connect", "write", "abort (ERR-RTA)", "cyclic data"];
    assert!(wanted.iter().all(|name| names.contains(&format!("operation {name}"))), "{names:?}");
}
