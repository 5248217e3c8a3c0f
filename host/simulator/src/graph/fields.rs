//! The `fields` parameter: names, nested names in braces, limits in parentheses.

use serde_json::{Map, Value};

use crate::error::GraphError;

/// Nesting that is read; Meta's own calls need three.
const DEPTH_MAX: usize = 8;

/// One name, what is asked for inside it, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) limit: Option<usize>,
    pub(crate) inside: Vec<Self>,
}

/// Reads `id,messages.limit(20){id,from}`.
///
/// # Errors
/// 2500 for text that is not a list of fields.
pub(crate) fn parse(text: &str) -> Result<Vec<Field>, GraphError> {
    let mut reader = Reader { rest: text };
    let fields = reader.list(0)?;
    if reader.rest.is_empty() { Ok(fields) } else { Err(reader.confused()) }
}

/// Picks the asked fields out of an object that has them all; an absent or null one is left out, as Meta does.
///
/// # Errors
/// 100 for a field that this kind of node does not have.
pub(crate) fn pick(node: &Value, fields: &[Field], kind: &str) -> Result<Value, GraphError> {
    let mut picked = Map::new();
    for field in fields {
        match node.get(&field.name) {
            Some(Value::Null) => (),
            Some(value) => {
                picked.insert(field.name.clone(), value.clone());
            }
            None => {
                let message = format!("Tried accessing nonexisting field ({}) on node type ({kind})", field.name);
                return Err(GraphError::parameter(message));
            }
        }
    }
    if let Some(id) = node.get("id") {
        picked.insert("id".to_owned(), id.clone());
    }
    Ok(Value::Object(picked))
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn list(&mut self, depth: usize) -> Result<Vec<Field>, GraphError> {
        if depth > DEPTH_MAX {
            return Err(self.confused());
        }
        let mut fields = vec![self.field(depth)?];
        while self.take(',') {
            fields.push(self.field(depth)?);
        }
        Ok(fields)
    }

    fn field(&mut self, depth: usize) -> Result<Field, GraphError> {
        let name = self.word();
        if name.is_empty() {
            return Err(self.confused());
        }
        let mut limit = None;
        while self.take('.') {
            let modifier = self.word();
            if !self.take('(') {
                return Err(self.confused());
            }
            let argument = self.word();
            if !self.take(')') {
                return Err(self.confused());
            }
            if modifier == "limit" {
                limit = Some(argument.parse().map_err(|_not_a_number| self.confused())?);
            }
        }
        let mut inside = Vec::new();
        if self.take('{') {
            inside = self.list(depth + 1)?;
            if !self.take('}') {
                return Err(self.confused());
            }
        }
        Ok(Field { name, limit, inside })
    }

    fn word(&mut self) -> String {
        let end =
            self.rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn take(&mut self, letter: char) -> bool {
        match self.rest.strip_prefix(letter) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn confused(&self) -> GraphError {
        GraphError::new(2_500, None).saying(format!("Syntax error in field list near '{}'", self.rest))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(name: &str) -> Field {
        Field { name: name.to_owned(), limit: None, inside: Vec::new() }
    }

    #[test]
    fn nested_fields_and_limits_are_read() {
        assert_eq!(parse("id,name"), Ok(vec![plain("id"), plain("name")]));
        let messages = Field { name: "messages".to_owned(), limit: Some(20), inside: vec![plain("id"), plain("from")] };
        assert_eq!(parse("messages.limit(20){id,from}"), Ok(vec![messages]));
    }

    #[test]
    fn broken_lists_are_refused() {
        for broken in ["", "id,", "id name", "a{b", "a}", "a.limit", "a.limit(x)", &"a{".repeat(50)] {
            assert_eq!(parse(broken).unwrap_err().code, 2_500, "{broken}");
        }
    }

    #[test]
    fn absent_values_are_left_out_and_unknown_names_refused() {
        let node = json!({ "id": "1", "name": "Ana", "picture": null });
        let picked = pick(&node, &parse("name,picture").unwrap(), "User").unwrap();
        assert_eq!(picked, json!({ "id": "1", "name": "Ana" }));
        assert_eq!(pick(&node, &parse("shoe_size").unwrap(), "User").unwrap_err().code, 100);
    }
}
