//! What was set up by hand, as the answers name it.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Reader;
use crate::model::answers::Adopted;
use crate::model::answers::table::Table;

impl<'d> Reader<'d> {
    pub(super) fn adopted(&mut self, value: &'d Spanned<DeValue<'d>>) -> Vec<Adopted> {
        let tables: Option<Vec<&DeTable<'d>>> = value
            .get_ref()
            .as_array()
            .and_then(|array| array.iter().map(|one| one.get_ref().as_table()).collect());
        let Some(tables) = tables else {
            self.fault(
                "adopted",
                "must be tables, as `syntho-installer adopt` writes them",
                "[[adopted]]",
            );
            return Vec::new();
        };
        let tables = tables.into_iter().enumerate();
        tables
            .filter_map(|(number, table)| self.one_adopted(number, table))
            .collect()
    }

    fn one_adopted(&mut self, number: usize, table: &'d DeTable<'d>) -> Option<Adopted> {
        let mut t = Table::new(table, &format!("adopted[{number}]"), self.source);
        let f = &mut *self.faults;
        let host = t.required("host", "the name of a host", "host = \"ui\"", f);
        let stack = t.required(
            "stack",
            "the stack that takes its place",
            "stack = \"STACK\"",
            f,
        );
        let form = t.required("form", "what the preset knows it by", "form = \"FORM\"", f);
        let project = t.required("project", "its Compose project", "project = \"app\"", f);
        let folder = t.required(
            "folder",
            "the folder it was started from",
            "folder = \"/srv/app\"",
            f,
        );
        let environment = t.required(
            "environment",
            "the file of its variables",
            "environment = \"/srv/app/.env\"",
            f,
        );
        let volumes = t.optional(
            "volumes",
            "a table of volume names",
            "volumes = { data = \"app_data\" }",
            f,
        );
        t.finish(f);
        Some(Adopted {
            host: host?,
            stack: stack?,
            form: form?,
            project: project?,
            folder: folder?,
            environment: environment?,
            volumes: volumes.unwrap_or_default(),
        })
    }
}
