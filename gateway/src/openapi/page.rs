//! The document as a page: whatever it says, and nothing that it does not say.

mod fields;

use serde_json::{Map, Value};

use self::fields::{SchemaFields, rule};
use super::explained::pretty;
use super::html::{line, page, prose, table, text};
use crate::http::{Kind, Route, routes};

/// The page of a document.
pub(super) fn of(document: &Value) -> String {
    let view = DocumentView { document };
    let (title, version) = (view.said(&["info", "title"]), view.said(&["info", "version"]));
    let mut sections = String::new();
    let mut contents = String::new();
    for tag in view.list(&document["tags"]) {
        let tag = tag["name"].as_str().unwrap_or_default();
        contents.push_str(&format!("<li>{}<ul>\n", text(tag)));
        sections.push_str(&format!("<section>\n<h2>{}</h2>\n", text(tag)));
        for (method, path, operation) in view.operations().filter(|(.., operation)| operation["tags"][0] == tag) {
            contents.push_str(&view.entry(operation));
            sections.push_str(&view.operation(method, path, operation));
        }
        contents.push_str("</ul></li>\n");
        sections.push_str("</section>\n");
    }
    sections.push_str(&view.webhooks());
    let head = format!(
        "<header>\n<h1>{} <small>{}</small></h1>\n{}<p><a href=\"/openapi.json\">openapi.json</a></p>\n</header>\n",
        text(title),
        text(version),
        prose(view.said(&["info", "description"])),
    );
    let nav = format!(
        "<nav aria-label=\"Contents\"><ul>\n{contents}<li><a href=\"#problems\">Problems</a></li>\n</ul></nav>\n"
    );
    page(&format!("{title}: the API"), &format!("{nav}<main>\n{head}{sections}{}</main>\n", view.problems()))
}

/// A document that is being looked at.
struct DocumentView<'a> {
    document: &'a Value,
}

impl<'a> DocumentView<'a> {
    /// The text at the end of a way of names.
    fn said(&self, way: &[&str]) -> &'a str {
        way.iter().fold(self.document, |value, name| &value[*name]).as_str().unwrap_or_default()
    }

    fn list(&self, value: &'a Value) -> &'a [Value] {
        value.as_array().map_or(&[], Vec::as_slice)
    }

    fn fields(&self, value: &'a Value) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        value.as_object().into_iter().flat_map(Map::iter)
    }

    /// What is meant, if that is a reference.
    fn resolved(&self, value: &'a Value) -> &'a Value {
        let path = value["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
        path.and_then(|path| self.document.pointer(path)).unwrap_or(value)
    }

    /// In the order of the table, which is the order in which they are used.
    fn operations(&self) -> impl Iterator<Item = (&'static str, &'static str, &'a Value)> + use<'a> {
        let paths = &self.document["paths"];
        routes().filter_map(|Route { method, path, .. }| {
            let operation = paths.get(*path)?.get(method.as_str().to_ascii_lowercase())?;
            Some((method.as_str(), *path, operation))
        })
    }

    fn entry(&self, operation: &Value) -> String {
        let said = |name: &str| text(operation[name].as_str().unwrap_or_default());
        format!("<li><a href=\"#{}\">{}</a></li>\n", said("operationId"), said("summary"))
    }

    fn operation(&self, method: &str, path: &str, operation: &'a Value) -> String {
        let said = |name: &str| operation[name].as_str().unwrap_or_default();
        format!(
            "<article id=\"{}\">\n<h3>{}</h3>\n<p class=\"route\"><span class=\"method\">{method}</span> \
             <code>{}</code></p>\n{}{}{}{}</article>\n",
            text(said("operationId")),
            text(said("summary")),
            text(path),
            prose(said("description")),
            self.parameters(operation),
            self.body(operation),
            self.answers(operation),
        )
    }

    fn parameters(&self, operation: &'a Value) -> String {
        let row = |parameter: &'a Value| {
            let parameter = self.resolved(parameter);
            let said = |name: &str| parameter[name].as_str().unwrap_or_default();
            [format!("<code>{}</code>", text(said("name"))), text(said("in")), line(said("description"))]
        };
        let rows: Vec<_> = self.list(&operation["parameters"]).iter().map(row).collect();
        table(["Parameter", "In", ""], &rows)
    }

    fn body(&self, operation: &'a Value) -> String {
        let body = &operation["requestBody"];
        let Some((_, content)) = self.fields(&body["content"]).next() else { return String::new() };
        let schema = self.resolved(&content["schema"]);
        let optional = if body["required"] == true { "" } else { " It may be left out." };
        let about = schema["description"].as_str().unwrap_or_default();
        let mut html = format!("<h4>Body</h4>\n{}", prose(&format!("{about}{optional}")));
        html.push_str(&self.schema(schema));
        for example in self.list(&schema["examples"]) {
            html.push_str(&format!("<pre>{}</pre>\n", text(&pretty(example))));
        }
        html
    }

    /// The fields of a schema.
    fn schema(&self, schema: &'a Value) -> String {
        let row = |(name, is_required, schema): (String, bool, &'a Value)| {
            let resolved = self.resolved(schema);
            let about = [schema, resolved].into_iter().find_map(|schema| schema["description"].as_str());
            let needed = if is_required { ", required" } else { "" };
            let rule = format!("{}{needed}", rule(schema, resolved));
            [format!("<code>{}</code>", text(&name)), line(&rule), line(about.unwrap_or_default())]
        };
        let rows: Vec<_> = SchemaFields::of(schema, |value| self.resolved(value)).rows.into_iter().map(row).collect();
        table(["Field", "Rule", ""], &rows)
    }

    fn answers(&self, operation: &'a Value) -> String {
        let mut html = "<h4>Answers</h4>\n".to_owned();
        let mut problems = Vec::new();
        for (status, response) in self.fields(&operation["responses"]) {
            let content = &response["content"];
            if let Some(problem) = content.get("application/problem+json") {
                problems.extend(self.fields(&problem["examples"]).map(|(slug, _)| problem_link(status, slug)));
                continue;
            }
            let about = response["description"].as_str().unwrap_or_default();
            html.push_str(&format!("<p><span class=\"status\">{}</span> {}</p>\n", text(status), line(about)));
            if let Some((media, content)) = self.fields(content).next() {
                html.push_str(&self.answer(media, self.resolved(&content["schema"])));
            }
        }
        if !problems.is_empty() {
            html.push_str(&format!("<p class=\"problems\">Problems: {}</p>\n", problems.join(" ")));
        }
        html
    }

    fn answer(&self, media: &str, schema: &'a Value) -> String {
        let table = self.schema(schema);
        let example = match &schema["examples"][0] {
            Value::String(said) => said.clone(),
            example => pretty(example),
        };
        let media = text(media);
        format!("<details><summary><code>{media}</code></summary>\n{table}<pre>{}</pre></details>\n", text(&example))
    }

    /// What the gateway sends by itself. The buyers' document has none.
    fn webhooks(&self) -> String {
        let told = self.fields(&self.document["webhooks"]);
        let told: String = told.map(|(name, item)| self.operation("POST", name, &item["post"])).collect();
        match told.is_empty() {
            true => told,
            false => format!("<section id=\"told\">\n<h2>What webhooks receive</h2>\n{told}</section>\n"),
        }
    }

    fn problems(&self) -> String {
        let types = &self.document["components"]["schemas"]["ProblemType"]["enum"];
        let met = |kind: &Kind| self.list(types).iter().any(|path| path.as_str() == Some(&kind.path()));
        let row = |kind: Kind| {
            let row = kind.row();
            [problem_link(row.status.as_str(), row.slug), line(row.title), line(row.again.advice())]
        };
        let rows: Vec<_> = Kind::ALL.into_iter().filter(met).map(row).collect();
        let table = table(["Problem", "Meaning", "Retry?"], &rows);
        format!("<section id=\"problems\">\n<h2>Problems</h2>\n{table}</section>\n")
    }
}

fn problem_link(status: &str, slug: &str) -> String {
    let (status, slug) = (text(status), text(slug));
    format!("<a class=\"problem\" href=\"/problems/{slug}\"><span class=\"status\">{status}</span> {slug}</a>")
}
