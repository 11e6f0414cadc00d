//! Status codes of OPC UA (OPC 10000-4 section 7.39 and OPC 10000-6 annex A.2) and their names.

use std::fmt;

/// The high half of each status code, which says what happened, and its symbol; ascending.
#[rustfmt::skip]
const NAMES: &[(u16, &str)] = &[
    (0x0000, "Good"), (0x002d, "GoodSubscriptionTransferred"), (0x002e, "GoodCompletesAsynchronously"), (0x002f, "GoodOverload"),
    (0x0030, "GoodClamped"), (0x0096, "GoodLocalOverride"), (0x00a2, "GoodEntryInserted"), (0x00a3, "GoodEntryReplaced"),
    (0x00a5, "GoodNoData"), (0x00a6, "GoodMoreData"), (0x00a7, "GoodCommunicationEvent"), (0x00a8, "GoodShutdownEvent"),
    (0x00a9, "GoodCallAgain"), (0x00aa, "GoodNonCriticalTimeout"), (0x00ba, "GoodResultsMayBeIncomplete"), (0x00d9, "GoodDataIgnored"),
    (0x00dc, "GoodEdited"), (0x00dd, "GoodPostActionFailed"), (0x00e0, "GoodDependentValueChanged"), (0x4000, "Uncertain"),
    (0x406c, "UncertainReferenceOutOfServer"), (0x408f, "UncertainNoCommunicationLastUsableValue"), (0x4090, "UncertainLastUsableValue"),
    (0x4091, "UncertainSubstituteValue"), (0x4092, "UncertainInitialValue"), (0x4093, "UncertainSensorNotAccurate"),
    (0x4094, "UncertainEngineeringUnitsExceeded"), (0x4095, "UncertainSubNormal"), (0x40a4, "UncertainDataSubNormal"),
    (0x40bc, "UncertainReferenceNotDeleted"), (0x40c0, "UncertainNotAllNodesAvailable"), (0x40de, "UncertainDominantValueChanged"),
    (0x40e2, "UncertainDependentValueChanged"), (0x8000, "Bad"), (0x8001, "BadUnexpectedError"), (0x8002, "BadInternalError"),
    (0x8003, "BadOutOfMemory"), (0x8004, "BadResourceUnavailable"), (0x8005, "BadCommunicationError"), (0x8006, "BadEncodingError"),
    (0x8007, "BadDecodingError"), (0x8008, "BadEncodingLimitsExceeded"), (0x8009, "BadUnknownResponse"), (0x800a, "BadTimeout"),
    (0x800b, "BadServiceUnsupported"), (0x800c, "BadShutdown"), (0x800d, "BadServerNotConnected"), (0x800e, "BadServerHalted"),
    (0x800f, "BadNothingToDo"), (0x8010, "BadTooManyOperations"), (0x8011, "BadDataTypeIdUnknown"), (0x8012, "BadCertificateInvalid"),
    (0x8013, "BadSecurityChecksFailed"), (0x8014, "BadCertificateTimeInvalid"), (0x8015, "BadCertificateIssuerTimeInvalid"),
    (0x8016, "BadCertificateHostNameInvalid"), (0x8017, "BadCertificateUriInvalid"), (0x8018, "BadCertificateUseNotAllowed"),
    (0x8019, "BadCertificateIssuerUseNotAllowed"), (0x801a, "BadCertificateUntrusted"), (0x801b, "BadCertificateRevocationUnknown"),
    (0x801c, "BadCertificateIssuerRevocationUnknown"), (0x801d, "BadCertificateRevoked"), (0x801e, "BadCertificateIssuerRevoked"),
    (0x801f, "BadUserAccessDenied"), (0x8020, "BadIdentityTokenInvalid"), (0x8021, "BadIdentityTokenRejected"),
    (0x8022, "BadSecureChannelIdInvalid"), (0x8023, "BadInvalidTimestamp"), (0x8024, "BadNonceInvalid"), (0x8025, "BadSessionIdInvalid"),
    (0x8026, "BadSessionClosed"), (0x8027, "BadSessionNotActivated"), (0x8028, "BadSubscriptionIdInvalid"),
    (0x802a, "BadRequestHeaderInvalid"), (0x802b, "BadTimestampsToReturnInvalid"), (0x802c, "BadRequestCancelledByClient"),
    (0x8031, "BadNoCommunication"), (0x8032, "BadWaitingForInitialData"), (0x8033, "BadNodeIdInvalid"), (0x8034, "BadNodeIdUnknown"),
    (0x8035, "BadAttributeIdInvalid"), (0x8036, "BadIndexRangeInvalid"), (0x8037, "BadIndexRangeNoData"),
    (0x8038, "BadDataEncodingInvalid"), (0x8039, "BadDataEncodingUnsupported"), (0x803a, "BadNotReadable"), (0x803b, "BadNotWritable"),
    (0x803c, "BadOutOfRange"), (0x803d, "BadNotSupported"), (0x803e, "BadNotFound"), (0x803f, "BadObjectDeleted"),
    (0x8040, "BadNotImplemented"), (0x8041, "BadMonitoringModeInvalid"), (0x8042, "BadMonitoredItemIdInvalid"),
    (0x8043, "BadMonitoredItemFilterInvalid"), (0x8044, "BadMonitoredItemFilterUnsupported"), (0x8045, "BadFilterNotAllowed"),
    (0x8046, "BadStructureMissing"), (0x8047, "BadEventFilterInvalid"), (0x8048, "BadContentFilterInvalid"),
    (0x8049, "BadFilterOperandInvalid"), (0x804a, "BadContinuationPointInvalid"), (0x804b, "BadNoContinuationPoints"),
    (0x804c, "BadReferenceTypeIdInvalid"), (0x804d, "BadBrowseDirectionInvalid"), (0x804e, "BadNodeNotInView"),
    (0x804f, "BadServerUriInvalid"), (0x8050, "BadServerNameMissing"), (0x8051, "BadDiscoveryUrlMissing"),
    (0x8052, "BadSemaphoreFileMissing"), (0x8053, "BadRequestTypeInvalid"), (0x8054, "BadSecurityModeRejected"),
    (0x8055, "BadSecurityPolicyRejected"), (0x8056, "BadTooManySessions"), (0x8057, "BadUserSignatureInvalid"),
    (0x8058, "BadApplicationSignatureInvalid"), (0x8059, "BadNoValidCertificates"), (0x805a, "BadRequestCancelledByRequest"),
    (0x805b, "BadParentNodeIdInvalid"), (0x805c, "BadReferenceNotAllowed"), (0x805d, "BadNodeIdRejected"), (0x805e, "BadNodeIdExists"),
    (0x805f, "BadNodeClassInvalid"), (0x8060, "BadBrowseNameInvalid"), (0x8061, "BadBrowseNameDuplicated"),
    (0x8062, "BadNodeAttributesInvalid"), (0x8063, "BadTypeDefinitionInvalid"), (0x8064, "BadSourceNodeIdInvalid"),
    (0x8065, "BadTargetNodeIdInvalid"), (0x8066, "BadDuplicateReferenceNotAllowed"), (0x8067, "BadInvalidSelfReference"),
    (0x8068, "BadReferenceLocalOnly"), (0x8069, "BadNoDeleteRights"), (0x806a, "BadServerIndexInvalid"), (0x806b, "BadViewIdUnknown"),
    (0x806d, "BadTooManyMatches"), (0x806e, "BadQueryTooComplex"), (0x806f, "BadNoMatch"), (0x8070, "BadMaxAgeInvalid"),
    (0x8071, "BadHistoryOperationInvalid"), (0x8072, "BadHistoryOperationUnsupported"), (0x8073, "BadWriteNotSupported"),
    (0x8074, "BadTypeMismatch"), (0x8075, "BadMethodInvalid"), (0x8076, "BadArgumentsMissing"), (0x8077, "BadTooManySubscriptions"),
    (0x8078, "BadTooManyPublishRequests"), (0x8079, "BadNoSubscription"), (0x807a, "BadSequenceNumberUnknown"),
    (0x807b, "BadMessageNotAvailable"), (0x807c, "BadInsufficientClientProfile"), (0x807d, "BadTcpServerTooBusy"),
    (0x807e, "BadTcpMessageTypeInvalid"), (0x807f, "BadTcpSecureChannelUnknown"), (0x8080, "BadTcpMessageTooLarge"),
    (0x8081, "BadTcpNotEnoughResources"), (0x8082, "BadTcpInternalError"), (0x8083, "BadTcpEndpointUrlInvalid"),
    (0x8084, "BadRequestInterrupted"), (0x8085, "BadRequestTimeout"), (0x8086, "BadSecureChannelClosed"),
    (0x8087, "BadSecureChannelTokenUnknown"), (0x8088, "BadSequenceNumberInvalid"), (0x8089, "BadConfigurationError"),
    (0x808a, "BadNotConnected"), (0x808b, "BadDeviceFailure"), (0x808c, "BadSensorFailure"), (0x808d, "BadOutOfService"),
    (0x808e, "BadDeadbandFilterInvalid"), (0x8097, "BadRefreshInProgress"), (0x8098, "BadConditionAlreadyDisabled"),
    (0x8099, "BadConditionDisabled"), (0x809a, "BadEventIdUnknown"), (0x809b, "BadNoData"), (0x809d, "BadDataLost"),
    (0x809e, "BadDataUnavailable"), (0x809f, "BadEntryExists"), (0x80a0, "BadNoEntryExists"), (0x80a1, "BadTimestampNotSupported"),
    (0x80ab, "BadInvalidArgument"), (0x80ac, "BadConnectionRejected"), (0x80ad, "BadDisconnect"), (0x80ae, "BadConnectionClosed"),
    (0x80af, "BadInvalidState"), (0x80b0, "BadEndOfStream"), (0x80b1, "BadNoDataAvailable"), (0x80b2, "BadWaitingForResponse"),
    (0x80b3, "BadOperationAbandoned"), (0x80b4, "BadExpectedStreamToBlock"), (0x80b5, "BadWouldBlock"), (0x80b6, "BadSyntaxError"),
    (0x80b7, "BadMaxConnectionsReached"), (0x80b8, "BadRequestTooLarge"), (0x80b9, "BadResponseTooLarge"),
    (0x80bb, "BadEventNotAcknowledgeable"), (0x80bd, "BadInvalidTimestampArgument"), (0x80be, "BadProtocolVersionUnsupported"),
    (0x80bf, "BadStateNotActive"), (0x80c1, "BadFilterOperatorInvalid"), (0x80c2, "BadFilterOperatorUnsupported"),
    (0x80c3, "BadFilterOperandCountMismatch"), (0x80c4, "BadFilterElementInvalid"), (0x80c5, "BadFilterLiteralInvalid"),
    (0x80c6, "BadIdentityChangeNotSupported"), (0x80c8, "BadNotTypeDefinition"), (0x80c9, "BadViewTimestampInvalid"),
    (0x80ca, "BadViewParameterMismatch"), (0x80cb, "BadViewVersionInvalid"), (0x80cc, "BadConditionAlreadyEnabled"),
    (0x80cd, "BadDialogNotActive"), (0x80ce, "BadDialogResponseInvalid"), (0x80cf, "BadConditionBranchAlreadyAcked"),
    (0x80d0, "BadConditionBranchAlreadyConfirmed"), (0x80d1, "BadConditionAlreadyShelved"), (0x80d2, "BadConditionNotShelved"),
    (0x80d3, "BadShelvingTimeOutOfRange"), (0x80d4, "BadAggregateListMismatch"), (0x80d5, "BadAggregateNotSupported"),
    (0x80d6, "BadAggregateInvalidInputs"), (0x80d7, "BadBoundNotFound"), (0x80d8, "BadBoundNotSupported"),
    (0x80da, "BadAggregateConfigurationRejected"), (0x80db, "BadTooManyMonitoredItems"), (0x80e1, "BadDominantValueChanged"),
    (0x80e3, "BadDependentValueChanged"), (0x80e4, "BadRequestNotAllowed"), (0x80e5, "BadTooManyArguments"),
    (0x80e6, "BadSecurityModeInsufficient"), (0x8100, "StartOfStackStatusCodes"), (0x8101, "BadSignatureInvalid"),
    (0x8104, "BadExtensibleParameterInvalid"), (0x8105, "BadExtensibleParameterUnsupported"), (0x8106, "BadHostUnknown"),
    (0x8107, "BadTooManyPosts"), (0x8108, "BadSecurityConfig"), (0x8109, "BadFileNotFound"), (0x810a, "BadContinue"),
    (0x810b, "BadHttpMethodNotAllowed"), (0x810c, "BadFileExists"), (0x810d, "BadCertificateChainIncomplete"),
    (0x8114, "BadCertificatePolicyCheckFailed"), (0x8115, "BadAlreadyExists"),
];

/// A status code. It prints as its symbol, or in hexadecimal where it has none here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status(pub u32);

impl Status {
    /// Whether the severity bits (30 and 31) say "good".
    #[must_use]
    pub const fn is_good(self) -> bool {
        self.0 >> 30 == 0
    }

    /// Whether the severity bits say "bad"; in between lies "uncertain".
    #[must_use]
    pub const fn is_bad(self) -> bool {
        self.0 >> 30 >= 2
    }

    /// The symbol; empty if the code has none here. The low half holds flags and is not part of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let code = u16::try_from(self.0 >> 16).unwrap_or_default();
        let found = NAMES.binary_search_by_key(&code, |(known, _)| *known).ok();
        found.and_then(|at| NAMES.get(at)).map_or("", |(_, name)| name)
    }

    /// The code of a symbol, with no flags set.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Status> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(code, _)| Status(u32::from(*code) << 16))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "" => write!(f, "{:#010x}", self.0),
            name => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_print() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(Status(0).to_string(), "Good");
        assert_eq!(Status(0x8034_0000).to_string(), "BadNodeIdUnknown");
        assert_eq!(Status(0x8fff_0000).to_string(), "0x8fff0000");
        assert_eq!(Status::from_name("BadNoSubscription"), Some(Status(0x8079_0000)));
        assert!(Status(0x00a9_0000).is_good() && !Status(0x4090_0000).is_good());
    }
}
