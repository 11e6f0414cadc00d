//! LLRP.

use quaywatch_protocols::llrp::names::{self, Role};

use crate::harness::{Explained, Field, Line, Row, Table, compare_told, detail, number, well_formed};

fn version(row: &Row, key: &str) -> Vec<String> {
    let number = |text: String| if text == "1.1" { "2".to_owned() } else { "1".to_owned() };
    detail(row, key).into_iter().map(number).collect()
}

/// Told unasked: the row stands in the frame of the reply, its facts are the message's own.
fn unasked(row: &Row) -> bool {
    row["request_frame"].is_null() && detail(row, "reply_id").is_empty()
}

fn answered(row: &Row, own: &str, reply: &str) -> Vec<String> {
    detail(row, if unasked(row) { own } else { reply })
}

/// The type of the answer: the request's own, or the error message in its place.
fn reply_type(row: &Row) -> Vec<String> {
    let code = u16::try_from(row["code"].as_u64().unwrap()).unwrap();
    if unasked(row) || row["request_frame"].is_null() {
        return vec![code.to_string()];
    }
    let role = names::message_of(code).map(|message| message.role);
    match (detail(row, "reply").is_empty(), role) {
        (false, _) => vec![names::ERROR.to_string()],
        (true, Some(Role::Ask(answer) | Role::ReaderAsks(answer))) => vec![answer.to_string()],
        _ => Vec::new(),
    }
}

fn types(row: &Row, key: &str, tv: bool) -> Vec<String> {
    let kinds = detail(row, key).into_iter().filter_map(|name| names::parameter_type(&name));
    kinds.filter(|kind| (*kind < 128) == tv).map(|kind| kind.to_string()).collect()
}

/// Parameters of the answer; a report tells the fields that its tags have, each as often as there are tags.
fn reply_types(row: &Row, tv: bool) -> Vec<String> {
    if detail(row, "tag_fields").is_empty() {
        return types(row, if unasked(row) { "parameters" } else { "reply_parameters" }, tv);
    }
    let mut fields = types(row, "tag_fields", tv);
    if !tv {
        fields.push("240".to_owned());
    }
    let count = usize::try_from(row["quantity"].as_u64().unwrap()).unwrap();
    fields.iter().flat_map(|field| std::iter::repeat_n(field.clone(), count)).collect()
}

/// Keep-alives are told once a flow.
fn counts(line: &Line) -> bool {
    well_formed(line) && !line["llrp.type"].split(',').any(|kind| matches!(kind, "62" | "72"))
}

#[test]
fn llrp_agrees() {
    compare_told(&Table {
        name: "llrp",
        protocols: &["llrp"],
        kinds: &[],
        fields: &[
            Field::new("llrp.version")
                .asked(|row| version(row, "version"))
                .answered(|row| version(row, if unasked(row) { "version" } else { "reply_version" })),
            Field::new("llrp.type").asked(|row| number(row, "code")).answered(reply_type),
            Field::new("llrp.length")
                .asked(|row| detail(row, "length"))
                .answered(|row| answered(row, "length", "reply_length")),
            Field::new("llrp.id")
                .asked(|row| detail(row, "message_id"))
                .answered(|row| answered(row, "message_id", "reply_id")),
            Field::new("llrp.tlv_type")
                .asked(|row| types(row, "parameters", false))
                .answered(|row| reply_types(row, false)),
            Field::new("llrp.tv_type")
                .asked(|row| types(row, "parameters", true))
                .answered(|row| reply_types(row, true)),
        ],
        counts,
        explained: &[] as &[Explained],
        wanted: 995,
    });
}
