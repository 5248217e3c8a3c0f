//! JSON Schema: the one file that names the library. Schemas come from plugins and are hostile: references are never
//! fetched, patterns run in linear time, and no message repeats a value.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// Most problems told about one document; more do not help anybody.
const MAX_PROBLEMS: usize = 5;

/// Longest message in characters.
const MAX_PROBLEM_CHARACTERS: usize = 300;

/// Largest compiled pattern in bytes.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// The text is no schema that this host can check.
#[derive(Debug, thiserror::Error)]
#[error("the schema cannot be used: {0}")]
pub struct InvalidSchema(String);

/// A compiled schema.
#[derive(Debug)]
pub struct Schema(Validator);

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// [`InvalidSchema`] with what is wrong; also for a reference to anything outside the schema itself.
    pub fn compile(schema: &Value) -> Result<Self, InvalidSchema> {
        let patterns = PatternOptions::regex().size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES);
        let compiled = jsonschema::options().with_pattern_options(patterns).build(schema);
        compiled.map(Self).map_err(|error| InvalidSchema(shortened(&error.to_string())))
    }

    /// Checks a document. The messages name the place and the rule, never the value.
    ///
    /// # Errors
    /// What is wrong, at most five messages.
    pub fn check(&self, document: &Value) -> Result<(), Vec<String>> {
        let problems: Vec<String> =
            self.0.iter_errors(document).take(MAX_PROBLEMS).map(|error| problem(&error)).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

fn problem(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    let masked = error.masked_with("the value").to_string();
    shortened(&if place.is_empty() { masked } else { format!("{place}: {masked}") })
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_PROBLEM_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_checked_without_repeating_its_values() {
        let schema = Schema::compile(&json!({
            "type": "object",
            "properties": {"answer": {"type": "string", "maxLength": 3}, "n": {"type": "integer"}},
            "required": ["answer"],
        }));
        let schema = schema.unwrap();
        assert_eq!(schema.check(&json!({"answer": "yes"})), Ok(()));
        let problems = schema.check(&json!({"answer": "secret words", "n": "more"})).unwrap_err();
        assert_eq!(problems.len(), 2);
        let told = problems.join(" ");
        assert!(told.contains("/answer") && told.contains("/n"), "{told}");
        assert!(!told.contains("secret") && !told.contains("more"), "{told}");
    }

    #[test]
    fn a_schema_cannot_reach_outside() {
        for reference in ["https://example.com/schema.json", "file:///etc/passwd", "http://127.0.0.1/x"] {
            assert!(Schema::compile(&json!({"$ref": reference})).is_err(), "{reference}");
        }
        assert!(Schema::compile(&json!({"type": "nonsense"})).is_err());
    }

    #[test]
    fn a_pattern_that_would_explode_does_not() {
        let schema = Schema::compile(&json!({"type": "string", "pattern": "^(a+)+$"})).unwrap();
        assert!(schema.check(&json!(format!("{}!", "a".repeat(5_000)))).is_err());
        assert!(Schema::compile(&json!({"pattern": "(a{1000}){1000}"})).is_err());
    }
}
