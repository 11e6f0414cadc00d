//! Message numbers of RTCM 3 (RTCM 10403.3 table 3.5-1).

/// Title of a message; empty for numbers that are reserved.
#[must_use]
pub const fn message(number: u32) -> &'static str {
    match number {
        1001 => "GPS L1 observations",
        1002 => "GPS L1 observations, extended",
        1003 => "GPS L1 and L2 observations",
        1004 => "GPS L1 and L2 observations, extended",
        1005 => "reference station coordinates",
        1006 => "reference station coordinates with antenna height",
        1007 => "antenna descriptor",
        1008 => "antenna descriptor and serial number",
        1009 => "GLONASS L1 observations",
        1010 => "GLONASS L1 observations, extended",
        1011 => "GLONASS L1 and L2 observations",
        1012 => "GLONASS L1 and L2 observations, extended",
        1013 => "system parameters",
        1014 => "network auxiliary station data",
        1015..=1017 => "GPS network corrections",
        1019 => "GPS ephemerides",
        1020 => "GLONASS ephemerides",
        1021..=1028 => "coordinate transformation",
        1029 => "text",
        1030 => "GPS network residuals",
        1031 => "GLONASS network residuals",
        1032 => "physical reference station position",
        1033 => "receiver and antenna descriptors",
        1034 => "GPS network FKP gradient",
        1035 => "GLONASS network FKP gradient",
        1037..=1039 => "GLONASS network corrections",
        1041 => "NavIC ephemerides",
        1042 => "BeiDou ephemerides",
        1044 => "QZSS ephemerides",
        1045 => "Galileo F/NAV ephemerides",
        1046 => "Galileo I/NAV ephemerides",
        1057..=1062 => "GPS state space corrections",
        1063..=1068 => "GLONASS state space corrections",
        1071..=1077 => "GPS MSM",
        1081..=1087 => "GLONASS MSM",
        1091..=1097 => "Galileo MSM",
        1101..=1107 => "SBAS MSM",
        1111..=1117 => "QZSS MSM",
        1121..=1127 => "BeiDou MSM",
        1131..=1137 => "NavIC MSM",
        1230 => "GLONASS code-phase biases",
        4001..=4095 => "proprietary",
        _ => "",
    }
}

/// Whose a proprietary message is (table 3.6-1); empty if not listed here.
#[must_use]
pub const fn owner(number: u32) -> &'static str {
    match number {
        4062 => "Swift Navigation",
        4063 => "CHC Navigation",
        4072 => "u-blox",
        4076 => "International GNSS Service",
        4089 => "Septentrio",
        4090 => "Geo++",
        4091 => "Topcon",
        4092 => "Leica Geosystems",
        4093 => "NovAtel",
        4094 => "Trimble",
        4095 => "Ashtech",
        _ => "",
    }
}

/// Whether this is a multiple signal message.
#[must_use]
pub const fn is_msm(number: u32) -> bool {
    matches!(number, 1071..=1137) && matches!(number % 10, 1..=7)
}
