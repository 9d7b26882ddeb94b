package clepsydra.nexmark;

import java.io.Serializable;
import java.util.List;

import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;

/**
 * Makes the rows that a query reads: only columns that are read are computed, and only in events of
 * their kind.
 */
final class RowMaker implements Serializable {
    private static final long serialVersionUID = 1;

    /** One produced column; empty fields of other kinds stay null. */
    private interface Part extends Serializable {
        Object of(NexmarkGenerator generator, Kind kind, long event);
    }

    private final Kind only;
    private final Part[] parts;

    private RowMaker(Kind only, Part[] parts) {
        this.only = only;
        this.parts = parts;
    }

    /**
     * @param only the kind of a flat table, null for the table of all three
     * @param paths of the produced columns in the table's physical columns
     */
    static RowMaker make(Kind only, RowType physical, int[][] paths) {
        Part[] parts = new Part[paths.length];
        for (int i = 0; i < paths.length; ++i) {
            RowType.RowField field = physical.getFields().get(paths[i][0]);
            parts[i] =
                    only != null
                            ? nested(Column.find(only, field.getName(), field.getType()))
                            : part(field, paths[i]);
        }
        return new RowMaker(only, parts);
    }

    RowData make(NexmarkGenerator generator, Kind kind, long event) {
        GenericRowData row = new GenericRowData(parts.length);
        for (int i = 0; i < parts.length; ++i) {
            row.setField(i, parts[i].of(generator, kind, event));
        }
        return row;
    }

    /** False for events that a flat table does not have. */
    boolean wants(Kind kind) {
        return only == null || only == kind;
    }

    private static Part part(RowType.RowField field, int[] path) {
        if (field.getName().equals("event_type")) {
            if (!field.getType().is(LogicalTypeRoot.INTEGER)) {
                throw new ValidationException("connector 'nexmark': column 'event_type' must be INT");
            }
            return (generator, kind, event) -> kind.ordinal();
        }
        Kind kind = kindOfColumn(field);
        List<RowType.RowField> nested = ((RowType) field.getType()).getFields();
        if (path.length > 1) {
            RowType.RowField leaf = nested.get(path[1]);
            return nested(Column.find(kind, leaf.getName(), leaf.getType()));
        }
        Column.Value[] values = new Column.Value[nested.size()];
        for (int i = 0; i < values.length; ++i) {
            values[i] = Column.find(kind, nested.get(i).getName(), nested.get(i).getType()).value;
        }
        return (generator, actual, event) -> actual == kind ? row(generator, values, event) : null;
    }

    private static Part nested(Column column) {
        Kind kind = column.kind;
        Column.Value value = column.value;
        return (generator, actual, event) -> actual == kind ? value.of(generator, event) : null;
    }

    private static RowData row(NexmarkGenerator generator, Column.Value[] values, long event) {
        GenericRowData row = new GenericRowData(values.length);
        for (int i = 0; i < values.length; ++i) {
            row.setField(i, values[i].of(generator, event));
        }
        return row;
    }

    private static Kind kindOfColumn(RowType.RowField field) {
        for (Kind kind : Kind.values()) {
            if (!kind.column.equals(field.getName())) {
                continue;
            }
            LogicalType type = field.getType();
            if (!type.is(LogicalTypeRoot.ROW)) {
                throw new ValidationException(
                        "connector 'nexmark': column '" + field.getName() + "' must be a ROW");
            }
            return kind;
        }
        throw new ValidationException(
                "connector 'nexmark' has no column '" + field.getName()
                        + "' in the table; it has: event_type, person, auction, bid");
    }
}
