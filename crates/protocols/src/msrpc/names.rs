//! Interfaces of Windows and OPC by their identifiers, and the calls of them that an assessor looks for.

use quaywatch_model::OperationClass::{self, Configure, Control, Diagnose, Identify, Read, Session, Write};

/// An interface: first twelve hexadecimal digits of its identifier suffice to tell them apart, and all 32 are compared.
pub(super) struct Interface {
    /// Identifier as printed.
    pub(super) uuid: &'static str,
    /// Name in the specification's terms.
    pub(super) name: &'static str,
    /// Calls by number.
    pub(super) calls: &'static [(u16, &'static str, OperationClass)],
}

/// Interfaces known (the MS-* specification of each; OPC DA 2.05 custom interface for the last).
pub(super) const INTERFACES: &[Interface] = &[
    Interface {
        uuid: "e1af8308-5d1f-11c9-91a4-08002b14a0fa",
        name: "epmapper",
        calls: &[(2, "ept_lookup", Identify), (3, "ept_map", Session)],
    },
    // MS-SCMR 3.1.4.
    Interface {
        uuid: "367abb81-9844-35f1-ad32-98f038001003",
        name: "svcctl",
        calls: &[
            (0, "CloseServiceHandle", Session),
            (1, "ControlService", Control),
            (2, "DeleteService", Configure),
            (6, "QueryServiceStatus", Read),
            (11, "ChangeServiceConfigW", Configure),
            (12, "CreateServiceW", Configure),
            (14, "EnumServicesStatusW", Read),
            (15, "OpenSCManagerW", Session),
            (16, "OpenServiceW", Session),
            (17, "QueryServiceConfigW", Read),
            (19, "StartServiceW", Control),
            (24, "CreateServiceA", Configure),
            (27, "OpenSCManagerA", Session),
            (28, "OpenServiceA", Session),
            (31, "StartServiceA", Control),
        ],
    },
    // MS-SAMR 3.1.5.
    Interface {
        uuid: "12345778-1234-abcd-ef00-0123456789ac",
        name: "samr",
        calls: &[
            (0, "SamrConnect", Session),
            (1, "SamrCloseHandle", Session),
            (5, "SamrLookupDomainInSamServer", Read),
            (6, "SamrEnumerateDomainsInSamServer", Read),
            (7, "SamrOpenDomain", Session),
            (12, "SamrCreateUserInDomain", Configure),
            (13, "SamrEnumerateUsersInDomain", Read),
            (17, "SamrLookupNamesInDomain", Read),
            (22, "SamrAddMemberToGroup", Configure),
            (31, "SamrAddMemberToAlias", Configure),
            (34, "SamrOpenUser", Session),
            (35, "SamrDeleteUser", Configure),
            (37, "SamrSetInformationUser", Configure),
            (50, "SamrCreateUser2InDomain", Configure),
            (55, "SamrUnicodeChangePasswordUser2", Configure),
            (58, "SamrSetInformationUser2", Configure),
            (64, "SamrConnect5", Session),
        ],
    },
    // MS-LSAD, MS-LSAT.
    Interface {
        uuid: "12345778-1234-abcd-ef00-0123456789ab",
        name: "lsarpc",
        calls: &[
            (0, "LsarClose", Session),
            (6, "LsarOpenPolicy", Session),
            (7, "LsarQueryInformationPolicy", Read),
            (14, "LsarLookupNames", Read),
            (15, "LsarLookupSids", Read),
            (19, "LsarAddPrivilegesToAccount", Configure),
            (44, "LsarOpenPolicy2", Session),
            (76, "LsarLookupSids3", Read),
            (77, "LsarLookupNames4", Read),
        ],
    },
    // MS-SRVS 3.1.4.
    Interface {
        uuid: "4b324fc8-1670-01d3-1278-5a47bf6ee188",
        name: "srvsvc",
        calls: &[
            (9, "NetrFileEnum", Read),
            (12, "NetrSessionEnum", Read),
            (14, "NetrShareAdd", Configure),
            (15, "NetrShareEnum", Read),
            (16, "NetrShareGetInfo", Read),
            (18, "NetrShareDel", Configure),
            (21, "NetrServerGetInfo", Identify),
            (28, "NetrRemoteTOD", Read),
        ],
    },
    // MS-WKST 3.2.4.
    Interface {
        uuid: "6bffd098-a112-3610-9833-46c3f87e345a",
        name: "wkssvc",
        calls: &[(0, "NetrWkstaGetInfo", Identify), (2, "NetrWkstaUserEnum", Read)],
    },
    // MS-RRP 3.1.5.
    Interface {
        uuid: "338cd001-2244-31f1-aaaa-900038001003",
        name: "winreg",
        calls: &[
            (0, "OpenClassesRoot", Session),
            (1, "OpenCurrentUser", Session),
            (2, "OpenLocalMachine", Session),
            (4, "OpenUsers", Session),
            (5, "BaseRegCloseKey", Session),
            (6, "BaseRegCreateKey", Configure),
            (7, "BaseRegDeleteKey", Configure),
            (8, "BaseRegDeleteValue", Configure),
            (9, "BaseRegEnumKey", Read),
            (10, "BaseRegEnumValue", Read),
            (15, "BaseRegOpenKey", Session),
            (16, "BaseRegQueryInfoKey", Read),
            (17, "BaseRegQueryValue", Read),
            (20, "BaseRegSaveKey", Read),
            (22, "BaseRegSetValue", Configure),
            (26, "BaseRegGetVersion", Identify),
        ],
    },
    // MS-TSCH 3.2.5.
    Interface {
        uuid: "1ff70682-0a51-30e8-076d-740be8cee98b",
        name: "atsvc",
        calls: &[
            (0, "NetrJobAdd", Configure),
            (1, "NetrJobDel", Configure),
            (2, "NetrJobEnum", Read),
            (3, "NetrJobGetInfo", Read),
        ],
    },
    Interface {
        uuid: "86d35949-83c9-4044-b424-db363231fd0c",
        name: "ITaskSchedulerService",
        calls: &[
            (1, "SchRpcRegisterTask", Configure),
            (2, "SchRpcRetrieveTask", Read),
            (6, "SchRpcEnumFolders", Read),
            (7, "SchRpcEnumTasks", Read),
            (11, "SchRpcStop", Control),
            (12, "SchRpcRun", Control),
            (13, "SchRpcDelete", Configure),
        ],
    },
    // MS-DRSR 4.1.
    Interface {
        uuid: "e3514235-4b06-11d1-ab04-00c04fc2dcd2",
        name: "drsuapi",
        calls: &[
            (0, "DRSBind", Session),
            (1, "DRSUnbind", Session),
            (2, "DRSReplicaSync", Control),
            (3, "DRSGetNCChanges", Read),
            (5, "DRSReplicaAdd", Configure),
            (12, "DRSCrackNames", Read),
            (16, "DRSDomainControllerInfo", Identify),
            (17, "DRSAddEntry", Configure),
        ],
    },
    // MS-NRPC 3.5.4.
    Interface {
        uuid: "12345678-1234-abcd-ef00-01234567cffb",
        name: "netlogon",
        calls: &[
            (2, "NetrLogonSamLogon", Session),
            (4, "NetrServerReqChallenge", Session),
            (5, "NetrServerAuthenticate", Session),
            (6, "NetrServerPasswordSet", Configure),
            (15, "NetrServerAuthenticate2", Session),
            (20, "DsrGetDcName", Identify),
            (26, "NetrServerAuthenticate3", Session),
            (29, "NetrLogonGetDomainInfo", Identify),
            (30, "NetrServerPasswordSet2", Configure),
            (34, "DsrGetDcNameEx2", Identify),
            (39, "NetrLogonSamLogonEx", Session),
        ],
    },
    // MS-RPRN 3.1.4.
    Interface {
        uuid: "12345678-1234-abcd-ef00-0123456789ab",
        name: "spoolss",
        calls: &[
            (1, "RpcOpenPrinter", Session),
            (9, "RpcAddPrinterDriver", Configure),
            (17, "RpcStartDocPrinter", Write),
            (65, "RpcRemoteFindFirstPrinterChangeNotificationEx", Control),
            (69, "RpcOpenPrinterEx", Session),
            (89, "RpcAddPrinterDriverEx", Configure),
        ],
    },
    // MS-EFSR 3.1.4.2, under both its identifiers.
    Interface {
        uuid: "c681d488-d850-11d0-8c52-00c04fd90f7e",
        name: "efsrpc",
        calls: &[(0, "EfsRpcOpenFileRaw", Read), (4, "EfsRpcEncryptFileSrv", Write)],
    },
    Interface {
        uuid: "df1941c5-fe89-4e79-bf10-463657acf44d",
        name: "efsrpc",
        calls: &[(0, "EfsRpcOpenFileRaw", Read), (4, "EfsRpcEncryptFileSrv", Write)],
    },
    // MS-RSP 3.1.4.
    Interface {
        uuid: "894de0c0-0d55-11d3-a322-00c04fa321a1",
        name: "initshutdown",
        calls: &[(0, "BaseInitiateShutdown", Control), (2, "BaseInitiateShutdownEx", Control)],
    },
    Interface {
        uuid: "d95afe70-a6d5-4259-822e-2c84da1ddb0d",
        name: "WindowsShutdown",
        calls: &[(0, "WsdrInitiateShutdown", Control)],
    },
    // MS-EVEN, MS-EVEN6.
    Interface {
        uuid: "82273fdc-e32a-18c3-3f78-827929dc23ea",
        name: "eventlog",
        calls: &[(0, "ElfrClearELFW", Configure), (10, "ElfrReadELW", Read)],
    },
    Interface {
        uuid: "f6beaff7-1e19-4fbb-9f8f-b89e2018337c",
        name: "IEventService",
        calls: &[(6, "EvtRpcClearLog", Configure)],
    },
    // MS-DCOM 3.1.2.5.
    Interface {
        uuid: "99fcfec4-5260-101b-bbcb-00aa0021347a",
        name: "IObjectExporter",
        calls: &[
            (0, "ResolveOxid", Session),
            (1, "SimplePing", Diagnose),
            (2, "ComplexPing", Diagnose),
            (3, "ServerAlive", Diagnose),
            (4, "ResolveOxid2", Session),
            (5, "ServerAlive2", Identify),
        ],
    },
    Interface {
        uuid: "000001a0-0000-0000-c000-000000000046",
        name: "IRemoteSCMActivator",
        calls: &[(3, "RemoteGetClassObject", Session), (4, "RemoteCreateInstance", Session)],
    },
    Interface {
        uuid: "4d9f4ab8-7d1c-11cf-861e-0020af6e7c57",
        name: "IActivation",
        calls: &[(0, "RemoteActivation", Session)],
    },
    Interface {
        uuid: "00000131-0000-0000-c000-000000000046",
        name: "IRemUnknown",
        calls: &[(3, "RemQueryInterface", Session), (4, "RemAddRef", Session), (5, "RemRelease", Session)],
    },
    Interface {
        uuid: "00000143-0000-0000-c000-000000000046",
        name: "IRemUnknown2",
        calls: &[(3, "RemQueryInterface", Session), (5, "RemRelease", Session), (6, "RemQueryInterface2", Session)],
    },
    // MS-WMI 3.1.4.
    Interface {
        uuid: "9556dc99-828c-11cf-a37e-00aa003240c7",
        name: "IWbemServices",
        calls: &[(6, "GetObject", Read), (20, "ExecQuery", Read), (24, "ExecMethod", Control)],
    },
    // OPC Data Access 2.05, custom interface.
    Interface {
        uuid: "39c13a4d-011e-11d0-9675-0020afd8adb3",
        name: "IOPCServer",
        calls: &[(3, "AddGroup", Session), (6, "GetStatus", Identify), (7, "RemoveGroup", Session)],
    },
    Interface {
        uuid: "39c13a54-011e-11d0-9675-0020afd8adb3",
        name: "IOPCItemMgt",
        calls: &[(3, "AddItems", Session), (5, "RemoveItems", Session)],
    },
    Interface {
        uuid: "39c13a52-011e-11d0-9675-0020afd8adb3",
        name: "IOPCSyncIO",
        calls: &[(3, "Read", Read), (4, "Write", Write)],
    },
    Interface {
        uuid: "39c13a71-011e-11d0-9675-0020afd8adb3",
        name: "IOPCAsyncIO2",
        calls: &[(3, "Read", Read), (4, "Write", Write), (5, "Refresh2", Read)],
    },
    Interface {
        uuid: "39c13a70-011e-11d0-9675-0020afd8adb3",
        name: "IOPCDataCallback",
        calls: &[(3, "OnDataChange", OperationClass::Cyclic), (4, "OnReadComplete", Read)],
    },
    Interface {
        uuid: "9dd0b56c-ad9e-43ee-8305-487f3188bf7a",
        name: "IOPCServerList2",
        calls: &[(3, "EnumClassesOfCategories", Identify)],
    },
];

/// The interface of this identifier, in the printed form.
pub(super) fn interface(uuid: &str) -> Option<&'static Interface> {
    INTERFACES.iter().find(|interface| interface.uuid == uuid)
}

/// Packet types (C706 section 12.6.4; MS-RPCE 2.2.2).
pub(super) const fn packet(kind: u8) -> &'static str {
    match kind {
        0 => "request",
        2 => "response",
        3 => "fault",
        11 => "bind",
        12 => "bind-ack",
        13 => "bind-nak",
        14 => "alter-context",
        15 => "alter-context-response",
        16 => "auth3",
        17 => "shutdown",
        18 => "cancel",
        19 => "orphaned",
        _ => "unknown",
    }
}

/// Faults (C706 appendix E; MS-ERREF).
pub(super) const fn fault(status: u32) -> &'static str {
    match status {
        0 => "ok",
        5 => "access denied",
        0x6f7 => "bad stub data",
        0x1c01_0002 => "operation range error",
        0x1c01_0003 => "unknown interface",
        0x1c00_001a => "context mismatch",
        _ => "fault",
    }
}
