//! A schema as rows: a field each, followed by the fields that it consists of.

use serde_json::{Map, Value};

/// The fields of a schema, each by its way from the body: `items[].sku`.
pub(super) struct SchemaFields<'a, R> {
    /// Way, whether it is required, schema.
    pub(super) rows: Vec<(String, bool, &'a Value)>,
    resolved: R,
}

impl<'a, R: Fn(&'a Value) -> &'a Value> SchemaFields<'a, R> {
    pub(super) fn of(schema: &'a Value, resolved: R) -> Self {
        let mut fields = Self { rows: Vec::new(), resolved };
        fields.add("", schema);
        fields
    }

    /// A schema that contained itself would have no end: none does, or the test of the page would have none either.
    fn add(&mut self, way: &str, schema: &'a Value) {
        let required = schema["required"].as_array();
        for (name, field) in schema["properties"].as_object().into_iter().flat_map(Map::iter) {
            let is_required = required.is_some_and(|required| required.iter().any(|of| of == name));
            let way = format!("{way}{name}");
            self.rows.push((way.clone(), is_required, field));
            let field = (self.resolved)(field);
            self.add(&format!("{way}."), field);
            self.add(&format!("{way}[]."), (self.resolved)(&field["items"]));
        }
    }
}

/// What a field may be, in words. What is beside a reference overrides its target.
pub(super) fn rule(schema: &Value, resolved: &Value) -> String {
    let of = |name: &str| schema.get(name).or_else(|| resolved.get(name));
    let kind = match (of("type"), of("anyOf")) {
        (Some(Value::String(kind)), _) => kind.clone(),
        (Some(Value::Array(kinds)), _) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        (None, Some(Value::Array(choices))) => {
            choices.iter().filter_map(|choice| choice["type"].as_str()).collect::<Vec<_>>().join(" or ")
        }
        _ => "any JSON".to_owned(),
    };
    let mut rules = vec![kind];
    if let Some(Value::Array(words)) = of("enum") {
        let words: Vec<String> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        rules.push(words.join(" or "));
    }
    for (least, most, what) in
        [("minimum", "maximum", ""), ("minLength", "maxLength", " bytes"), ("minItems", "maxItems", " entries")]
    {
        if let (Some(least), Some(most)) = (of(least), of(most)) {
            rules.push(format!("{least} to {most}{what}"));
        }
    }
    if let Some(default) = of("default") {
        rules.push(format!("else `{default}`"));
    }
    rules.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_is_described_in_words() {
        let check = |schema: Value, resolved: Value, want: &str| assert_eq!(rule(&schema, &resolved), want, "{schema}");
        check(json!({"type": "integer", "minimum": 1, "maximum": 9}), json!({}), "integer, 1 to 9");
        check(json!({"default": 1}), json!({"type": "integer"}), "integer, else `1`");
        check(json!({"type": ["object", "null"]}), json!({}), "object or null");
        check(json!({"type": "string", "enum": ["a", "b"]}), json!({}), "string, `a` or `b`");
        check(json!({"anyOf": [{"type": "object"}, {"type": "boolean"}]}), json!({}), "object or boolean");
        check(json!({}), json!({}), "any JSON");
    }

    #[test]
    fn a_field_is_named_by_its_way() {
        let item = json!({"required": ["sku"], "properties": {"sku": {}}});
        let schema = json!({"properties": {"items": {"items": item}}});
        let rows = SchemaFields::of(&schema, |value| value).rows;
        let rows: Vec<_> = rows.iter().map(|(way, is_required, _)| (way.as_str(), *is_required)).collect();
        assert_eq!(rows, [("items", false), ("items[].sku", true)]);
    }
}
