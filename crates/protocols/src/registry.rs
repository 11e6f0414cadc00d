//! Every protocol Quaywatch reads. Adding one takes two lines here: its module and its entry.

use crate::Protocol;
use crate::ftp;
use crate::http;
use crate::ssh;
use crate::telnet;
use crate::tls;

/// All protocols, sorted by name. Where two could claim a flow, the probes decide, not this order.
pub static PROTOCOLS: &[&dyn Protocol] = &[&tls::Dtls, &ftp::Ftp, &http::Http, &ssh::Ssh, &telnet::Telnet, &tls::Tls];
