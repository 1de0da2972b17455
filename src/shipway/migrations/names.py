"""Tables and columns by the names that their author gave them: app, model, field."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.core.schema import Schema, Table


@dataclass(frozen=True, slots=True)
class Names:
    """Looks names up in several schemas, the first that knows one wins."""

    schemas: tuple[Schema, ...]

    def _table(self, table: str) -> Table | None:
        return next((schema[table] for schema in self.schemas if table in schema), None)

    def model(self, table: str) -> str:
        """Return `Customer`, or the relation `Room.guests` of a many-to-many table, or the table's own name."""
        found = self._table(table)
        if found is None or not found.model:
            return table
        name = found.model.rpartition(".")[2]
        return f"{name}.{found.relation}" if found.relation else name

    def app(self, table: str) -> str:
        """Return the label of the app that a table belongs to, "" when no model is known for it."""
        found = self._table(table)
        return found.model.partition(".")[0] if found else ""

    def field(self, table: str, column: str) -> str:
        """Return the field of a column, or the column's own name."""
        for schema in self.schemas:
            if table in schema and column in schema[table].columns:
                return schema[table].columns[column].field or column
        return column

    def both(self, table: str, column: str) -> str:
        """Return `Customer.vat`."""
        model = self.model(table)
        return f"{model}.{self.field(table, column)}" if column else model
