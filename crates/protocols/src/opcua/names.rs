//! Services and attributes of OPC UA and their names (OPC 10000-6 annex A, OPC 10000-4 section 5, OPC 10000-3 section 5.2).

use quaywatch_model::OperationClass;

/// A service: the type ids of its request and response in the binary encoding, its name, and what it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Service {
    /// Identifier, in namespace 0, of the binary encoding of the request.
    pub request: u32,
    /// The same of the response.
    pub response: u32,
    /// Name of the service (OPC 10000-4).
    pub name: &'static str,
    /// What it does to the machine.
    pub class: OperationClass,
}

const fn service(request: u32, response: u32, name: &'static str, class: OperationClass) -> Service {
    Service { request, response, name, class }
}

/// ServiceFault: any service may answer with it.
pub const FAULT: u32 = 397;
/// FindServers.
pub const FIND_SERVERS: u32 = 422;
/// GetEndpoints.
pub const GET_ENDPOINTS: u32 = 428;
/// RegisterServer.
pub const REGISTER_SERVER: u32 = 437;
/// RegisterServer2.
pub const REGISTER_SERVER_2: u32 = 12211;
/// FindServersOnNetwork.
pub const FIND_SERVERS_ON_NETWORK: u32 = 12208;
/// OpenSecureChannel.
pub const OPEN_CHANNEL: u32 = 446;
/// CloseSecureChannel.
pub const CLOSE_CHANNEL: u32 = 452;
/// CreateSession.
pub const CREATE_SESSION: u32 = 461;
/// ActivateSession.
pub const ACTIVATE_SESSION: u32 = 467;
/// CloseSession.
pub const CLOSE_SESSION: u32 = 473;
/// AddNodes.
pub const ADD_NODES: u32 = 488;
/// AddReferences.
pub const ADD_REFERENCES: u32 = 494;
/// DeleteNodes.
pub const DELETE_NODES: u32 = 500;
/// DeleteReferences.
pub const DELETE_REFERENCES: u32 = 506;
/// Browse.
pub const BROWSE: u32 = 527;
/// BrowseNext.
pub const BROWSE_NEXT: u32 = 533;
/// TranslateBrowsePathsToNodeIds.
pub const TRANSLATE_PATHS: u32 = 554;
/// RegisterNodes.
pub const REGISTER_NODES: u32 = 560;
/// UnregisterNodes.
pub const UNREGISTER_NODES: u32 = 566;
/// Read.
pub const READ: u32 = 631;
/// HistoryRead.
pub const HISTORY_READ: u32 = 664;
/// Write.
pub const WRITE: u32 = 673;
/// HistoryUpdate.
pub const HISTORY_UPDATE: u32 = 700;
/// Call.
pub const CALL: u32 = 712;
/// CreateMonitoredItems.
pub const CREATE_ITEMS: u32 = 751;
/// ModifyMonitoredItems.
pub const MODIFY_ITEMS: u32 = 763;
/// SetMonitoringMode.
pub const SET_MONITORING_MODE: u32 = 769;
/// SetTriggering.
pub const SET_TRIGGERING: u32 = 775;
/// DeleteMonitoredItems.
pub const DELETE_ITEMS: u32 = 781;
/// CreateSubscription.
pub const CREATE_SUBSCRIPTION: u32 = 787;
/// ModifySubscription.
pub const MODIFY_SUBSCRIPTION: u32 = 793;
/// SetPublishingMode.
pub const SET_PUBLISHING_MODE: u32 = 799;
/// Publish.
pub const PUBLISH: u32 = 826;
/// Republish.
pub const REPUBLISH: u32 = 832;
/// TransferSubscriptions.
pub const TRANSFER_SUBSCRIPTIONS: u32 = 841;
/// DeleteSubscriptions.
pub const DELETE_SUBSCRIPTIONS: u32 = 847;

/// All services with a request, ascending by its id.
#[rustfmt::skip]
pub const SERVICES: &[Service] = {
    use OperationClass::{Configure, Control, Cyclic, Diagnose, Identify, Read, Session, Write};
    &[
        service(410, 413, "TestStack", Diagnose),
        service(416, 419, "TestStackEx", Diagnose),
        service(FIND_SERVERS, 425, "FindServers", Identify),
        service(GET_ENDPOINTS, 431, "GetEndpoints", Identify),
        service(REGISTER_SERVER, 440, "RegisterServer", Identify),
        service(OPEN_CHANNEL, 449, "OpenSecureChannel", Session),
        service(CLOSE_CHANNEL, 455, "CloseSecureChannel", Session),
        service(CREATE_SESSION, 464, "CreateSession", Session),
        service(ACTIVATE_SESSION, 470, "ActivateSession", Session),
        service(CLOSE_SESSION, 476, "CloseSession", Session),
        service(479, 482, "Cancel", Session),
        service(ADD_NODES, 491, "AddNodes", Configure),
        service(ADD_REFERENCES, 497, "AddReferences", Configure),
        service(DELETE_NODES, 503, "DeleteNodes", Configure),
        service(DELETE_REFERENCES, 509, "DeleteReferences", Configure),
        service(BROWSE, 530, "Browse", Read),
        service(BROWSE_NEXT, 536, "BrowseNext", Read),
        service(TRANSLATE_PATHS, 557, "TranslateBrowsePathsToNodeIds", Read),
        service(REGISTER_NODES, 563, "RegisterNodes", Read),
        service(UNREGISTER_NODES, 569, "UnregisterNodes", Read),
        service(615, 618, "QueryFirst", Read),
        service(621, 624, "QueryNext", Read),
        service(READ, 634, "Read", Read),
        service(HISTORY_READ, 667, "HistoryRead", Read),
        service(WRITE, 676, "Write", Write),
        service(HISTORY_UPDATE, 703, "HistoryUpdate", Write),
        service(CALL, 715, "Call", Control),
        service(CREATE_ITEMS, 754, "CreateMonitoredItems", Read),
        service(MODIFY_ITEMS, 766, "ModifyMonitoredItems", Read),
        service(SET_MONITORING_MODE, 772, "SetMonitoringMode", Read),
        service(SET_TRIGGERING, 778, "SetTriggering", Read),
        service(DELETE_ITEMS, 784, "DeleteMonitoredItems", Read),
        service(CREATE_SUBSCRIPTION, 790, "CreateSubscription", Read),
        service(MODIFY_SUBSCRIPTION, 796, "ModifySubscription", Read),
        service(SET_PUBLISHING_MODE, 802, "SetPublishingMode", Read),
        service(PUBLISH, 829, "Publish", Cyclic),
        service(REPUBLISH, 835, "Republish", Cyclic),
        service(TRANSFER_SUBSCRIPTIONS, 844, "TransferSubscriptions", Read),
        service(DELETE_SUBSCRIPTIONS, 850, "DeleteSubscriptions", Read),
        service(FIND_SERVERS_ON_NETWORK, 12209, "FindServersOnNetwork", Identify),
        service(REGISTER_SERVER_2, 12212, "RegisterServer2", Identify),
    ]
};

/// The service of this request id.
#[must_use]
pub fn by_request(id: u32) -> Option<&'static Service> {
    SERVICES.binary_search_by_key(&id, |service| service.request).ok().and_then(|at| SERVICES.get(at))
}

/// The service of this response id.
#[must_use]
pub fn by_response(id: u32) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.response == id)
}

/// Whether a message of this type id is a request, `Some(false)` for a response; `None` if it is neither.
#[must_use]
pub fn asks(id: u32) -> Option<bool> {
    if by_request(id).is_some() {
        Some(true)
    } else if id == FAULT || by_response(id).is_some() {
        Some(false)
    } else {
        None
    }
}

/// Name of an attribute of a node (OPC 10000-6 annex A.1).
#[must_use]
pub const fn attribute(id: u32) -> &'static str {
    match id {
        1 => "NodeId",
        2 => "NodeClass",
        3 => "BrowseName",
        4 => "DisplayName",
        5 => "Description",
        6 => "WriteMask",
        7 => "UserWriteMask",
        8 => "IsAbstract",
        9 => "Symmetric",
        10 => "InverseName",
        11 => "ContainsNoLoops",
        12 => "EventNotifier",
        13 => "Value",
        14 => "DataType",
        15 => "ValueRank",
        16 => "ArrayDimensions",
        17 => "AccessLevel",
        18 => "UserAccessLevel",
        19 => "MinimumSamplingInterval",
        20 => "Historizing",
        21 => "Executable",
        22 => "UserExecutable",
        23 => "DataTypeDefinition",
        24 => "RolePermissions",
        25 => "UserRolePermissions",
        26 => "AccessRestrictions",
        27 => "AccessLevelEx",
        _ => "unknown attribute",
    }
}

/// Security mode of messages (OPC 10000-4 section 7.20).
#[must_use]
pub const fn security_mode(mode: u32) -> &'static str {
    match mode {
        1 => "None",
        2 => "Sign",
        3 => "SignAndEncrypt",
        _ => "Invalid",
    }
}

/// Kind of user identity token (OPC 10000-4 section 7.42).
#[must_use]
pub const fn token_kind(kind: u32) -> &'static str {
    match kind {
        0 => "anonymous",
        1 => "username",
        2 => "certificate",
        3 => "issued token",
        _ => "unknown token",
    }
}

/// Kind of application (OPC 10000-4 section 7.4).
#[must_use]
pub const fn application_kind(kind: u32) -> &'static str {
    match kind {
        0 => "server",
        1 => "client",
        2 => "client and server",
        3 => "discovery server",
        _ => "unknown application",
    }
}

/// State of a server (OPC 10000-5 section 12.6).
#[must_use]
pub const fn server_state(state: u32) -> &'static str {
    match state {
        0 => "Running",
        1 => "Failed",
        2 => "NoConfiguration",
        3 => "Suspended",
        4 => "Shutdown",
        5 => "Test",
        6 => "CommunicationFault",
        _ => "Unknown",
    }
}

/// The name of a security policy within its URI, or the URI itself if it is not the OPC Foundation's.
#[must_use]
pub fn policy(uri: &str) -> &str {
    uri.strip_prefix(POLICY_URI).unwrap_or(uri)
}

/// What the URIs of the OPC Foundation's security policies start with (OPC 10000-7 section 6.6).
pub const POLICY_URI: &str = "http://opcfoundation.org/UA/SecurityPolicy#";

/// Bytes of the signature behind each message under a symmetric policy (OPC 10000-7): HMAC-SHA1, HMAC-SHA256, Poly1305.
#[must_use]
pub fn signature_length(policy: &str) -> Option<usize> {
    match policy {
        "None" => Some(0),
        "Basic128" | "Basic128Rsa15" | "Basic192" | "Basic192Rsa15" | "Basic256" | "Basic256Rsa15" => Some(20),
        "Basic256Sha256" | "Aes128_Sha256_RsaOaep" | "Aes256_Sha256_RsaPss" => Some(32),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_in_order() {
        assert!(SERVICES.is_sorted_by(|a, b| a.request < b.request));
        assert_eq!(by_request(READ).map(|service| service.name), Some("Read"));
        assert_eq!(by_response(12212).map(|service| service.name), Some("RegisterServer2"));
        assert_eq!((asks(FAULT), asks(631), asks(1)), (Some(false), Some(true), None));
        assert_eq!(policy("http://opcfoundation.org/UA/SecurityPolicy#None"), "None");
    }
}
