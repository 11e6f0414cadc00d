//! Service types of DNS-based service discovery (RFC 6763 section 7) that port equipment announces, and keys of their TXT records.

use quaywatch_model::Attribute;

/// The protocol of a service type, by its name in the registry; `None` where it has no analyzer of its own.
pub(super) fn protocol(service_type: &str) -> Option<&'static str> {
    Some(match service_type {
        "_http" | "_axis-video" | "_hap" => "http",
        "_https" => "tls",
        "_ssh" | "_sftp-ssh" => "ssh",
        "_telnet" => "telnet",
        "_ftp" => "ftp",
        "_smb" => "smb",
        "_rfb" => "vnc",
        "_rtsp" => "rtsp",
        "_mqtt" => "mqtt",
        "_opcua-tcp" => "opcua",
        "_sip" => "sip",
        "_rdp" => "rdp",
        "_ldap" => "ldap",
        "_kerberos" => "kerberos",
        "_ntp" => "ntp",
        _ => return None,
    })
}

/// What a TXT key tells of the device (Apple Bonjour printing specification, ONVIF and maker practice).
pub(super) fn text_attribute(key: &str) -> Option<(Attribute, &'static str)> {
    const KEYS: &[(&str, Attribute)] = &[
        ("model", Attribute::Model),
        ("md", Attribute::Model),
        ("ty", Attribute::Model),
        ("usb_mdl", Attribute::Model),
        ("product", Attribute::Product),
        ("manufacturer", Attribute::Vendor),
        ("mfg", Attribute::Vendor),
        ("usb_mfg", Attribute::Vendor),
        ("vendor", Attribute::Vendor),
        ("serial", Attribute::Serial),
        ("serialnumber", Attribute::Serial),
        ("sn", Attribute::Serial),
        ("firmware", Attribute::Firmware),
        ("fw", Attribute::Firmware),
        ("fv", Attribute::Firmware),
        ("srcvers", Attribute::Software),
        ("macaddress", Attribute::Mac),
        ("mac", Attribute::Mac),
        ("osxvers", Attribute::Os),
        ("location", Attribute::Location),
        ("note", Attribute::Location),
    ];
    let attribute = KEYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, attribute)| *attribute)?;
    Some((attribute, "mdns text record"))
}
