//! The controls that ship with the product: one line each, embedded in the binary.

macro_rules! control {
    ($path:literal) => {
        ($path, include_str!(concat!("../controls/", $path)))
    };
}

/// Path below `controls/` and text of every control, sorted by path.
pub const CONTROLS: &[(&str, &str)] = &[
    control!("accounts/acct-clear-text-credential.yaml"),
    control!("accounts/acct-default-credential.yaml"),
    control!("accounts/acct-leaver-active.yaml"),
    control!("accounts/acct-remote-access-outside.yaml"),
    control!("accounts/acct-remote-session-without-work-order.yaml"),
    control!("accounts/acct-shared-account.yaml"),
    control!("accounts/acct-state-change-by-stranger.yaml"),
    control!("accounts/acct-unregistered-account.yaml"),
    control!("monitoring/mon-clock-skew.yaml"),
    control!("monitoring/mon-position-implausible.yaml"),
    control!("monitoring/mon-segment-without-sensor.yaml"),
    control!("monitoring/mon-state-change-outside-window.yaml"),
    control!("recovery/rec-backup-older-than-download.yaml"),
    control!("recovery/rec-critical-asset-without-backup.yaml"),
    control!("recovery/rec-download-without-work-order.yaml"),
    control!("recovery/rec-restore-never-tested.yaml"),
    control!("scanning/scan-asset-not-scanned.yaml"),
    control!("scanning/scan-older-than-interval.yaml"),
    control!("segmentation/seg-controller-reachable.yaml"),
    control!("segmentation/seg-crane-to-crane.yaml"),
    control!("segmentation/seg-dual-homed-asset.yaml"),
    control!("segmentation/seg-exposed-management-service.yaml"),
    control!("segmentation/seg-flow-without-conduit.yaml"),
    control!("segmentation/seg-internet-from-ot.yaml"),
    control!("segmentation/seg-permit-any-any.yaml"),
    control!("segmentation/seg-undeclared-gateway.yaml"),
    control!("updates/upd-end-of-life-protocol.yaml"),
    control!("updates/upd-firmware-differs-between-sisters.yaml"),
];
