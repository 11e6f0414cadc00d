//! Makers by private enterprise number: the well-known ones of IANA's list (<https://www.iana.org/assignments/enterprise-numbers>).

/// Sorted by number.
const MAKERS: &[(u32, &str)] = &[
    (2, "IBM"),
    (9, "Cisco"),
    (11, "Hewlett-Packard"),
    (43, "3Com"),
    (95, "Rockwell Automation"),
    (171, "D-Link"),
    (207, "Allied Telesis"),
    (231, "Fujitsu"),
    (232, "Compaq"),
    (244, "Lantronix"),
    (248, "Hirschmann"),
    (253, "Xerox"),
    (311, "Microsoft"),
    (318, "APC"),
    (332, "Digi International"),
    (343, "Intel"),
    (367, "Ricoh"),
    (368, "Axis"),
    (409, "Mitsubishi Electric"),
    (476, "Vertiv"),
    (534, "Eaton"),
    (553, "GarrettCom"),
    (641, "Lexmark"),
    (674, "Dell"),
    (789, "NetApp"),
    (841, "Proxim"),
    (890, "Zyxel"),
    (908, "ABB"),
    (1248, "Epson"),
    (1347, "Kyocera"),
    (1588, "Brocade"),
    (1602, "Canon"),
    (1890, "Red Lion"),
    (1916, "Extreme Networks"),
    (1966, "Perle"),
    (1991, "Brocade"),
    (2011, "Huawei"),
    (2435, "Brother"),
    (2606, "Rittal"),
    (2620, "Check Point"),
    (2636, "Juniper"),
    (2882, "Pepperl+Fuchs"),
    (2910, "General Electric"),
    (3224, "NetScreen"),
    (3375, "F5"),
    (3442, "Advantech"),
    (3808, "CyberPower"),
    (3833, "Schneider Electric"),
    (3902, "ZTE"),
    (3955, "Linksys"),
    (3967, "Bosch"),
    (4196, "Siemens"),
    (4329, "Siemens"),
    (4346, "Phoenix Contact"),
    (4413, "Broadcom"),
    (4526, "Netgear"),
    (5318, "Bosch"),
    (5597, "Meinberg"),
    (5624, "Enterasys"),
    (5940, "Red Lion"),
    (6027, "Force10"),
    (6486, "Alcatel-Lucent"),
    (6527, "Nokia"),
    (6574, "Synology"),
    (6876, "VMware"),
    (7427, "Yokogawa"),
    (8691, "Moxa"),
    (9615, "Danfoss"),
    (10002, "Ubiquiti"),
    (10297, "Advantech"),
    (10456, "Planet"),
    (10642, "Zebra"),
    (10876, "Supermicro"),
    (11256, "Stormshield"),
    (11863, "TP-Link"),
    (12148, "Eltek"),
    (12356, "Fortinet"),
    (13576, "WAGO"),
    (14125, "Senao"),
    (14179, "Airespace"),
    (14823, "Aruba"),
    (14988, "MikroTik"),
    (15000, "Kontron"),
    (15004, "RuggedCom"),
    (15450, "Innominate"),
    (16177, "Westermo"),
    (16838, "Omron"),
    (17268, "ABB"),
    (17713, "Cambium"),
    (18334, "Konica Minolta"),
    (20540, "Red Lion"),
    (20542, "Sierra Wireless"),
    (20992, "Cradlepoint"),
    (20998, "Honeywell"),
    (21701, "Mobotix"),
    (21703, "Microhard"),
    (22638, "Siemens"),
    (23695, "Peplink"),
    (24062, "Beijer Electronics"),
    (24681, "QNAP"),
    (24866, "Turck"),
    (25053, "Ruckus"),
    (25157, "Beckhoff"),
    (25461, "Palo Alto Networks"),
    (25506, "H3C"),
    (25761, "ABB"),
    (25882, "Impinj"),
    (26067, "Kyland"),
    (26655, "Advantech"),
    (26866, "Gigamon"),
    (26928, "Aerohive"),
    (27073, "Septentrio"),
    (27378, "Belden"),
    (27527, "ABB"),
    (28097, "Acksys"),
    (28381, "N-Tron"),
    (28866, "TRENDnet"),
    (29312, "B&R"),
    (29789, "Red Lion"),
    (30065, "Arista"),
    (30140, "Advantech"),
    (37072, "Lantech"),
    (39165, "Hikvision"),
    (41112, "Ubiquiti"),
    (43356, "Mimosa"),
    (47196, "Hewlett Packard Enterprise"),
    (48690, "Teltonika"),
    (52642, "FS.com"),
    (55062, "QNAP"),
];

/// Numbers of agent software that runs on machines of any maker.
const SOFTWARE: &[(u32, &str)] = &[(2021, "UCD-SNMP"), (8072, "Net-SNMP"), (99, "SNMP Research agent")];

/// Whom an enterprise number belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Enterprise {
    /// A maker of machines.
    Maker(&'static str),
    /// An agent's software.
    Software(&'static str),
    /// Not in the table.
    Unknown,
}

/// Looks up an enterprise number.
pub(super) fn enterprise(number: u32) -> Enterprise {
    if let Some((_, name)) = SOFTWARE.iter().find(|(known, _)| *known == number) {
        return Enterprise::Software(name);
    }
    let at = MAKERS.binary_search_by_key(&number, |(known, _)| *known);
    at.ok().and_then(|at| MAKERS.get(at)).map_or(Enterprise::Unknown, |(_, name)| Enterprise::Maker(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_found_in() {
        assert!(MAKERS.is_sorted_by_key(|(number, _)| *number));
        assert_eq!(enterprise(4196), Enterprise::Maker("Siemens"));
        assert_eq!(enterprise(8072), Enterprise::Software("Net-SNMP"));
        assert_eq!(enterprise(1), Enterprise::Unknown);
    }
}
