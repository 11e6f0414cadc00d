//! Launch files of Java Web Start (JSR 56, Java Network Launching Protocol and API).

use super::{attribute, said, text_of};
use crate::http::form;
use crate::http::soap::Elements;

/// Archives and Java versions kept of a file; more are counted.
const MAX_LISTED: usize = 16;

/// What a launch file says. Arguments and properties are passed over: they may hold secrets.
#[derive(Default, Debug)]
pub(super) struct Launch {
    pub(super) codebase: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) vendor: String,
    pub(super) main_class: String,
    /// Versions of Java that will do, in order of preference: `1.6+`.
    pub(super) java: Vec<String>,
    /// Archives to be fetched, with the version asked for.
    pub(super) jars: Vec<String>,
    pub(super) jar_count: u64,
    /// The program is to run outside of the sandbox.
    pub(super) all_permissions: bool,
}

impl Launch {
    /// Reads a file or its beginning; `None` if it is none.
    pub(super) fn read(body: &[u8]) -> Option<Launch> {
        let text = text_of(body);
        let mut elements = Elements::of(text.as_bytes());
        let first = elements.next().filter(|element| element.name == "jnlp")?;
        let (codebase, version) = (without_secrets(&attribute(&first, "codebase")), attribute(&first, "version"));
        let mut launch = Launch { codebase, version, ..Launch::default() };
        let mut jars = 0u32;
        for element in elements {
            match element.name {
                "title" if launch.title.is_empty() => launch.title = said(&element),
                "vendor" if launch.vendor.is_empty() => launch.vendor = said(&element),
                "all-permissions" => launch.all_permissions = true,
                "application-desc" | "applet-desc" => launch.main_class = attribute(&element, "main-class"),
                "j2se" | "java" => keep(&mut launch.java, attribute(&element, "version")),
                "jar" | "nativelib" => {
                    jars = jars.saturating_add(1);
                    let (name, version) =
                        (without_secrets(&attribute(&element, "href")), attribute(&element, "version"));
                    let jar = if version.is_empty() { name } else { format!("{name} {version}") };
                    keep(&mut launch.jars, jar);
                }
                _ => {}
            }
        }
        launch.jar_count = jars.into();
        Some(launch)
    }

    /// Whether it starts a program of Navis or Kaleris.
    pub(super) fn is_navis(&self) -> bool {
        let texts = [&self.title, &self.vendor, &self.main_class];
        let named = |text: &String| {
            let text = text.to_ascii_lowercase();
            text.contains("navis") || text.contains("kaleris")
        };
        texts.into_iter().any(named) || self.codebase.contains("/apex/") || self.codebase.ends_with("/apex")
    }
}

/// An address as it may be shown: servers write session ids into launch files.
fn without_secrets(address: &str) -> String {
    let mut shown = String::new();
    form::show_target(address.as_bytes(), &mut shown);
    shown
}

fn keep(list: &mut Vec<String>, text: String) {
    if !text.is_empty() && list.len() < MAX_LISTED && !list.contains(&text) {
        list.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Elements and attributes of the table in the Java Web Start guide, chapter "JNLP File Syntax".
    const FILE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
        <jnlp spec="1.0+" codebase="http://n4:9080/apex/" href="n4.jnlp" version="3.1">
          <information><title>Navis N4</title><vendor>Navis LLC</vendor><homepage href="."/></information>
          <security><all-permissions/></security>
          <resources><j2se version="1.6+" max-heap-size="512m"/><j2se version="1.5+"/>
            <jar href="lib/client.jar" version="3.1.0" main="true"/><jar href="lib/base.jar"/>
            <property name="password" value="hunter2"/></resources>
          <application-desc main-class="com.example.Launcher"><argument>hunter2</argument></application-desc>
        </jnlp>"#;

    #[test]
    fn a_file_is_read() {
        let launch = Launch::read(FILE.as_bytes()).unwrap();
        assert_eq!((launch.title.as_str(), launch.vendor.as_str()), ("Navis N4", "Navis LLC"));
        assert_eq!((launch.codebase.as_str(), launch.version.as_str()), ("http://n4:9080/apex/", "3.1"));
        assert_eq!(launch.main_class, "com.example.Launcher");
        assert_eq!(launch.java, ["1.6+", "1.5+"]);
        assert_eq!(
            (launch.jars, launch.jar_count),
            (vec!["lib/client.jar 3.1.0".to_owned(), "lib/base.jar".to_owned()], 2)
        );
        assert!(launch.all_permissions);
        let secret = b"<jnlp codebase='http://bob:hunter2@n4/apex'><jar href='a.jar;jsessionid=hunter2'/></jnlp>";
        let launch = Launch::read(secret).unwrap();
        assert_eq!((launch.codebase.as_str(), launch.jars[0].as_str()), ("http://***@n4/apex", "a.jar;jsessionid=***"));
        assert!(Launch::read(b"<html/>").is_none());
        for cut in 0..FILE.len() {
            Launch::read(&FILE.as_bytes()[..cut]);
        }
    }

    #[test]
    fn programs_of_others_are_told_apart() {
        let other =
            Launch::read(b"<jnlp codebase='http://bmc/'><information><title>Console</title></information></jnlp>");
        assert!(!other.unwrap().is_navis());
        assert!(Launch::read(FILE.as_bytes()).unwrap().is_navis());
    }
}
