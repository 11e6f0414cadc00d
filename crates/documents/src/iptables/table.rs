//! The chains of one table while its lines are read.

use std::collections::HashMap;

use quaywatch_model::document::FirewallRule;
use quaywatch_model::{At, DocumentRow, RowSink, SourceId};

use super::rule::Policy;
use super::{Outcome, Rule};

/// Chains that the kernel has without a declaration (iptables(8), section TABLES).
const BUILT_IN: [&str; 5] = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

/// Where rows are from.
pub(super) struct Place<'a> {
    pub device: &'a str,
    pub source: SourceId,
}

/// One table.
pub(super) struct Table<'a> {
    pub name: &'a str,
    /// No line said which table it is.
    pub implied: bool,
    /// In the order of the file.
    chains: Vec<Chain<'a>>,
    by_name: HashMap<String, usize>,
}

#[derive(Default)]
struct Chain<'a> {
    name: String,
    policy: Option<Policy<'a>>,
    rules: Vec<Rule<'a>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(name: &'a str, implied: bool) -> Self {
        Table { name, implied, chains: Vec::new(), by_name: HashMap::new() }
    }

    /// Takes a declaration `NAME POLICY [packets:bytes]`; the policy of a user's chain is `-`.
    pub(super) fn declare(&mut self, declared: &str, raw: &'a str, number: u64) -> Result<Outcome, String> {
        let mut words = declared.split_whitespace();
        let name = words.next().ok_or("a chain without a name")?;
        let policy = words.next().ok_or("a chain without a policy")?;
        self.set_policy(name, policy, raw, number)
    }

    fn set_policy(&mut self, name: &str, policy: &str, raw: &'a str, number: u64) -> Result<Outcome, String> {
        if policy == "-" {
            self.chain(name);
            return Ok(Outcome::Structure);
        }
        let policy = Policy::read(policy, raw, number).ok_or("the policy is not one that iptables has")?;
        match self.chain(name) {
            Some(Chain { policy: slot @ None, .. }) => *slot = Some(policy),
            _ => return Err("the chain has a policy already".to_owned()),
        }
        Ok(Outcome::Row)
    }

    /// The chain of this name, made if need be.
    fn chain(&mut self, name: &str) -> Option<&mut Chain<'a>> {
        let at = match self.by_name.get(name) {
            Some(at) => *at,
            None => {
                self.chains.push(Chain { name: name.to_owned(), ..Chain::default() });
                self.by_name.insert(name.to_owned(), self.chains.len() - 1);
                self.chains.len() - 1
            }
        };
        self.chains.get_mut(at)
    }

    fn is_known(&self, name: &str) -> bool {
        BUILT_IN.contains(&name) || self.by_name.contains_key(name)
    }

    /// Takes a line that starts with an option, such as `-A CHAIN ...`.
    pub(super) fn command(&mut self, words: &[&str], raw: &'a str, number: u64) -> Result<Outcome, String> {
        match words {
            ["-A" | "--append", chain, rest @ ..] => self.add(chain, None, rest, raw, number),
            ["-I" | "--insert", chain, rest @ ..] => {
                let (at, rest) = match rest.split_first() {
                    Some((at, rest)) if at.bytes().all(|b| b.is_ascii_digit()) => {
                        (at.parse().map_err(|_| "the place to insert at is no number")?, rest)
                    }
                    _ => (1, rest),
                };
                self.add(chain, Some(at), rest, raw, number)
            }
            ["-N" | "--new-chain", chain] => {
                self.chain(chain);
                Ok(Outcome::Structure)
            }
            ["-P" | "--policy", chain, policy] => self.set_policy(chain, policy, raw, number),
            [command, ..] if command.starts_with('-') => {
                Err("only -A, -I, -N and -P are read, as iptables-save and iptables -S write them".to_owned())
            }
            _ => Err("it is no line of iptables-save".to_owned()),
        }
    }

    /// Adds a rule at the end of a chain or at place `at`, counted from 1.
    fn add(
        &mut self,
        chain: &str,
        at: Option<usize>,
        rest: &[&str],
        raw: &'a str,
        number: u64,
    ) -> Result<Outcome, String> {
        if !self.is_known(chain) {
            return Err("the chain is not declared".to_owned());
        }
        let rule = Rule::read(rest, raw, number)?;
        let rules = self.chain(chain).map(|chain| &mut chain.rules).ok_or("the chain is not declared")?;
        match at.map(|at| at.checked_sub(1)) {
            None => rules.push(rule),
            Some(Some(index)) if index <= rules.len() => rules.insert(index, rule),
            Some(_) => return Err("the place to insert at is outside of the chain".to_owned()),
        }
        Ok(Outcome::Row)
    }

    /// Gives out the rows, chain by chain, policy first.
    pub(super) fn emit(&self, place: &Place<'_>, out: &mut dyn RowSink) {
        for chain in &self.chains {
            let name = match self.name {
                "filter" => chain.name.clone(),
                table => format!("{}@{table}", chain.name),
            };
            let at = |line| At { source: place.source, frame: line, ..At::default() };
            let blank = FirewallRule { device: place.device, chain: &name, ..FirewallRule::default() };
            if let Some(policy) = &chain.policy {
                let row = FirewallRule { action: policy.action, raw: policy.raw, ..blank };
                out.row(at(policy.line), DocumentRow::FirewallRule(row));
            }
            for (rule, position) in chain.rules.iter().zip(1..) {
                let action = rule.action(|target| self.by_name.contains_key(target));
                let row = FirewallRule {
                    position,
                    action,
                    protocol: &rule.protocol,
                    src: &rule.src,
                    dst: &rule.dst,
                    dst_port: &rule.dst_port,
                    in_interface: &rule.in_interface,
                    out_interface: &rule.out_interface,
                    state: &rule.state,
                    conditions: &rule.conditions,
                    raw: rule.raw,
                    ..blank
                };
                out.row(at(rule.line), DocumentRow::FirewallRule(row));
            }
        }
    }
}
