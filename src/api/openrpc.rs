//! The document that `rpc.discover` answers with: OpenRPC 1.3.

use super::methods;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The OpenRPC document of this binary. Parameters are one object (`paramStructure: by-name`), shown as its properties.
#[must_use]
pub fn document(version: &str) -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    let methods: Vec<Value> = methods::ALL
        .iter()
        .map(|method| {
            let params = (method.params)(&mut generator);
            let result = (method.result)(&mut generator);
            json!({
                "name": method.name,
                "summary": method.summary,
                "paramStructure": "by-name",
                "params": [{"name": "params", "description": "the properties of this object are the parameters", "schema": params}],
                "result": {"name": "result", "schema": result},
            })
        })
        .collect();
    json!({
        "openrpc": "1.3.2",
        "info": {"title": "Eyas", "version": version},
        "methods": methods,
        "components": {"schemas": generator.take_definitions(true)},
    })
}
