//! Published factory defaults of port and plant equipment.
//!
//! Gathered from public lists of factory defaults (SCADAPASS of the SCADA StrangeLove team and its mirrors, makers' manuals,
//! what is generally known of network gear); not every entry was held against the maker's own manual. The groups name the
//! products. They are compared with what crosses the wire and never written anywhere: a hit says only that the secret is a
//! factory default.
//! Accounts are compared without regard to ASCII case, secrets exactly. SNMP communities have a list of their own.

/// One factory default: account and secret.
type Pair = (&'static str, &'static str);

/// Not of one maker: what installers leave everywhere.
const GENERIC: &[Pair] = &[
    ("admin", "admin"),
    ("admin", "Admin"),
    ("admin", "password"),
    ("admin", "Password"),
    ("admin", "pass"),
    ("admin", "1234"),
    ("admin", "12345"),
    ("admin", "123456"),
    ("admin", "12345678"),
    ("admin", "1111"),
    ("admin", "0000"),
    ("admin", "admin1234"),
    ("admin", "admin123"),
    ("admin", "default"),
    ("admin", "system"),
    ("admin", "root"),
    ("administrator", "admin"),
    ("administrator", "administrator"),
    ("administrator", "password"),
    ("administrator", "1234"),
    ("root", "root"),
    ("root", "admin"),
    ("root", "pass"),
    ("root", "password"),
    ("root", "toor"),
    ("root", "1234"),
    ("root", "12345"),
    ("root", "123456"),
    ("root", "default"),
    ("root", "system"),
    ("user", "user"),
    ("user", "password"),
    ("user", "1234"),
    ("user", "12345"),
    ("username", "password"),
    ("guest", "guest"),
    ("operator", "operator"),
    ("oper", "oper"),
    ("service", "service"),
    ("supervisor", "supervisor"),
    ("manager", "manager"),
    ("super", "super"),
    ("support", "support"),
    ("tech", "tech"),
    ("test", "test"),
    ("default", "default"),
    ("system", "system"),
    ("viewer", "viewer"),
    ("monitor", "monitor"),
    ("ftp", "password"),
    ("ftpuser", "password"),
    // Prompts that ask for a password alone (telnet of switches, serial device servers).
    ("", "admin"),
    ("", "password"),
    ("", "1234"),
    ("", "system"),
    ("", "root"),
    ("", "pass"),
];

/// Controllers, panels, drives and their gateways.
const CONTROLLERS: &[Pair] = &[
    // Siemens: S7-300 web server, SCALANCE X/W, LOGO!, RUGGEDCOM ROS and ROX, WinCC, OZW, Climatix.
    ("Basisk", "Basisk"),
    ("siemens", "siemens"),
    ("web user", "LOGO"),
    ("", "LOGO"),
    ("Administrator", "100"),
    ("Administrator", "Password"),
    ("winccd", "winccpass"),
    ("wincce", "winccpass"),
    ("DMUser", "Data&Pass"),
    ("ADMIN", "SBTAdmin!"),
    // Schneider Electric: Modicon Quantum, Premium, M340, NOE 771, ETG, EGX, M258 (see also CISA ICSA-12-018-01).
    ("USER", "USER"),
    ("USER", "USERUSER"),
    ("ftpuser", "ftpuser"),
    ("qbf77101", "hexakisoctahedron"),
    ("sysdiag", "factorycast@schneider"),
    ("ntpupdate", "ntpupdate"),
    ("wsupgrade", "wsupgrade"),
    ("pcfactory", "pcfactory"),
    ("loader", "fwdownload"),
    ("test", "testingpw"),
    ("webserver", "webpages"),
    ("fdrusers", "sresurdf"),
    ("nic2212", "poiuypoiuy"),
    ("nimrohs2212", "qwertyqwerty"),
    ("nip2212", "fcsdfcsd"),
    ("Administrator", "Gateway"),
    ("User 1", "master"),
    ("User 2", "engineer"),
    ("User 3", "operator"),
    // Rockwell Automation: MicroLogix 1100 and 1400, 1756-EN2TSC, 1734-AENT, 9300 modems.
    ("administrator", "ml1100"),
    ("administrator", "ml1400"),
    ("uploader", "ZYPCOM"),
    ("", "ZYPCOM"),
    // WAGO 750, 758, PFC; Phoenix Contact FL SWITCH, mGuard, PLCnext; Turck BL20, BL67.
    ("admin", "wago"),
    ("root", "wago"),
    ("user", "user00"),
    ("su", "ko2003wa"),
    ("su", "wago"),
    ("admin", "private"),
    ("admin", "mGuard"),
    // Beckhoff CX, TwinCAT; ABB AC 800M, RTU500, Ethernet adapters, robot controllers.
    ("Administrator", "1"),
    ("webguest", "1"),
    ("guest", "1"),
    ("service", "ABB800xA"),
    ("Default User", "robotics"),
    // Mitsubishi MELSEC QnU; Omron NS, CJ1M; GE PACSystems.
    ("MELSEC", "MELSEC"),
    ("QNUDECPU", "QNUDECPU"),
    ("user", "system"),
    // Emerson DeltaV, Smart Wireless Gateway, ROC, ControlWave, Liebert.
    ("Administrator", "deltav"),
    ("maint", "default"),
    ("oper", "default"),
    ("exec", "default"),
    ("LOI", "1000"),
    ("SYSTEM", "666666"),
    ("Liebert", "Liebert"),
    // Yokogawa CENTUM and gateways; Honeywell XL; Tridium Niagara; Echelon; Loytec; Carel; Deif; Endress+Hauser.
    ("CENTUM", "CENTUM"),
    ("admin", "!admin"),
    ("SysAdmin", "honey"),
    ("tridium", "niagara"),
    ("ilon", "ilon"),
    ("admin", "loytec4u"),
    ("root", "froot"),
    ("carel", "fcarel"),
    ("httpadmin", "fhttpadmin"),
    ("admin", "fadmin"),
    ("root", "deif7800"),
    ("default", "1234"),
    // VxWorks targets as shipped by Wind River.
    ("target", "password"),
];

/// Switches, routers, modems, serial device servers, clocks and power units.
const NETWORK: &[Pair] = &[
    // Hirschmann; Moxa; Westermo; Advantech; Allied Telesis; Alcatel-Lucent; Perle; Korenix.
    ("user", "public"),
    ("admin", "moxa"),
    ("", "moxa"),
    ("admin", "westermo"),
    ("root", "00000000"),
    ("admin", "00000000"),
    ("user", "00000000"),
    ("advantech", "admin"),
    ("manager", "friend"),
    ("admin", "switch"),
    ("admin", "superuser"),
    // Digi, Lantronix, Bintec, eWON, B&B, Sierra Wireless, Teltonika, NetComm, HMS.
    ("root", "dbps"),
    ("admin", "PASS"),
    ("", "PASS"),
    ("admin", "bintec"),
    ("admin", "funkwerk"),
    ("adm", "adm"),
    ("viewer", "12345"),
    ("sconsole", "12345"),
    ("admin", "admin01"),
    // Cisco, Ubiquiti, Juniper, pfSense, OPNsense, Ruckus, Avocent, Supermicro, Dell, HP, Raspberry Pi.
    ("cisco", "cisco"),
    ("", "cisco"),
    ("admin", "cisco"),
    ("ubnt", "ubnt"),
    ("netscreen", "netscreen"),
    ("admin", "pfsense"),
    ("root", "opnsense"),
    ("super", "sp-admin"),
    ("admin", "avocent"),
    ("root", "linux"),
    ("ADMIN", "ADMIN"),
    ("root", "calvin"),
    ("pi", "raspberry"),
    // APC, Eaton, Vertiv, GE UPS; Meinberg and Symmetricom time servers.
    ("apc", "apc"),
    ("device", "apc"),
    ("readonly", "apc"),
    ("GE", "GE"),
    ("USHA", "admin"),
    ("root", "timeserver"),
    ("operator", "janus"),
];

/// Cameras, recorders, OCR and RFID readers, GNSS receivers.
const SENSORS: &[Pair] = &[
    // Axis, Hikvision, Dahua, Bosch, Samsung, Mobotix, ACTi, IQinVision, Xiongmai boards.
    ("888888", "888888"),
    ("666666", "666666"),
    ("admin", "888888"),
    ("admin", "4321"),
    ("admin", "meinsm"),
    ("admin", "tlJwpbo6"),
    ("root", "xc3511"),
    ("root", "vizxv"),
    ("root", "888888"),
    ("live", "live"),
    // Impinj, Zebra FX, Alien readers; Trimble and Leica receivers.
    ("root", "impinj"),
    ("admin", "change"),
    ("alien", "password"),
    ("alien", "alien"),
];

/// Whether this secret is a published factory default for this account.
#[must_use]
pub fn is_factory_default(account: &str, secret: &[u8]) -> bool {
    // Windows and web logins may carry a domain before the account.
    let account = account.rsplit_once('\\').map_or(account, |(_, account)| account);
    [GENERIC, CONTROLLERS, NETWORK, SENSORS]
        .into_iter()
        .flatten()
        .any(|(known, default)| known.eq_ignore_ascii_case(account) && default.as_bytes() == secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_known_by_account_and_secret_together() {
        assert!(is_factory_default("user", b"USER"));
        assert!(is_factory_default("sysdiag", b"factorycast@schneider"));
        assert!(is_factory_default("PLANT\\admin", b"private"));
        assert!(!is_factory_default("admin", b"factorycast@schneider"));
        assert!(!is_factory_default("admin", b"ADMIN!"));
        assert!(!is_factory_default("crane", b"admin"));
    }

    #[test]
    fn no_pair_stands_twice() {
        let mut all: Vec<(String, &str)> = [GENERIC, CONTROLLERS, NETWORK, SENSORS]
            .into_iter()
            .flatten()
            .map(|(account, secret)| (account.to_ascii_lowercase(), *secret))
            .collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
