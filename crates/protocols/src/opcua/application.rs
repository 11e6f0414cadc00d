//! Applications and endpoints as they describe themselves (OPC 10000-4 sections 7.2, 7.14 and 7.41).

use std::net::IpAddr;

use quaywatch_model::{Address, At, Attribute, Sink};

use crate::claims::Claims;
use crate::detail::Detail;
use crate::tls::certificate;

use super::names::{application_kind, policy, security_mode, token_kind};
use super::reader::Reader;

/// Endpoints, applications and the like that one detail lists; more are counted only.
pub const LISTED: usize = 64;

/// ApplicationDescription.
#[derive(Clone, Copy, Debug)]
pub struct Application<'a> {
    /// Globally unique name of the installation.
    pub uri: &'a str,
    /// Name of the product.
    pub product: &'a str,
    /// Name for people.
    pub name: &'a str,
    /// Server, client, both, discovery server.
    pub kind: u32,
    /// First address under which the application answers.
    pub url: &'a str,
}

impl<'a> Application<'a> {
    /// Reads it.
    pub fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let (uri, product, name, kind) = (reader.text()?, reader.text()?, reader.localized_text()?, reader.u32()?);
        reader.bytes()?;
        reader.bytes()?;
        let mut url = "";
        reader.skip_array(|reader| {
            let next = reader.text()?;
            if url.is_empty() {
                url = next;
            }
            Some(())
        })?;
        Some(Application { uri, product, name, kind, url })
    }

    /// Adds it to a JSON object.
    pub fn describe(&self, detail: &mut Detail) {
        detail.text("application", self.uri).text("product", self.product).text("name", self.name);
        detail.text("kind", application_kind(self.kind));
    }

    /// Claims what it says of its host.
    pub fn claim(&self, subject: Address, claims: &mut Claims, at: At, out: &mut dyn Sink) {
        claims.identify(out, at, subject, (Attribute::Software, self.name, "opcua application name"));
        claims.identify(out, at, subject, (Attribute::Software, self.uri, "opcua application uri"));
        claims.identify(out, at, subject, (Attribute::Product, self.product, "opcua product uri"));
    }
}

/// Writes the JSON object of one EndpointDescription; returns its server and its address.
pub fn endpoint<'a>(reader: &mut Reader<'a>, detail: &mut Detail) -> Option<(Application<'a>, &'a str, &'a [u8])> {
    let url = reader.text()?;
    let server = Application::read(reader)?;
    let (certificate, mode, security) = (reader.bytes()?, reader.u32()?, reader.text()?);
    detail
        .begin()
        .text("url", url)
        .text("security_policy", policy(security))
        .text("security_mode", security_mode(mode));
    tokens(reader, detail)?;
    // Transport profile and the server's own rating.
    reader.bytes()?;
    detail.number("security_level", reader.u8()?.into());
    server.describe(detail);
    Some((server, url, certificate))
}

/// UserTokenPolicy: the kinds of user that may log in, each with the policy that protects its secret if one is named.
fn tokens(reader: &mut Reader<'_>, detail: &mut Detail) -> Option<()> {
    let mut kinds: Vec<String> = Vec::new();
    reader.skip_array(|reader| {
        reader.bytes()?;
        let kind = token_kind(reader.u32()?);
        reader.bytes()?;
        reader.bytes()?;
        let protected = policy(reader.text()?);
        if kinds.len() < LISTED {
            kinds.push(if protected.is_empty() { kind.to_owned() } else { format!("{kind} {protected}") });
        }
        Some(())
    })?;
    detail.list("user_tokens", kinds.iter().map(String::as_str));
    Some(())
}

/// The host in `opc.tcp://host:port/path`.
#[must_use]
pub fn host(url: &str) -> &str {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// Claims the host name that a server gives in its own address. A number or the loopback name says nothing.
pub fn claim_host(url: &str, subject: Address, claims: &mut Claims, at: At, out: &mut dyn Sink) {
    let name = host(url);
    if name.parse::<IpAddr>().is_err() && !name.eq_ignore_ascii_case("localhost") {
        claims.identify(out, at, subject, (Attribute::HostName, name, "opcua endpoint url"));
    }
}

/// Reads the certificate that one end presented; returns it as a JSON object.
pub fn claim_certificate(
    der: &[u8],
    subject: Address,
    claims: &mut Claims,
    at: At,
    out: &mut dyn Sink,
) -> Option<String> {
    let read = certificate::read(der)?;
    claims.identify(out, at, subject, (Attribute::Certificate, &read.subject, "opcua certificate"));
    Some(read.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_addresses() {
        assert_eq!(host("opc.tcp://crane7:4840/UA"), "crane7");
        assert_eq!(host("opc.tcp://[fe80::1]:4840"), "fe80::1");
        assert_eq!(host("opc.tcp://plc"), "plc");
        assert_eq!(host("crane7"), "");
    }
}
