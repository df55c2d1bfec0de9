// Turns clauses and orderings into one parameterised SELECT. No text of a client becomes SQL.

import Bytes
import Database

struct SearchQuery {
    private let dialect: SearchDialect
    private var conditions: [String] = []
    private var values: [DatabaseValue] = []
    private var joins: [String] = []
    private var joinValues: [DatabaseValue] = []
    private var orders: [String] = []

    init(_ dialect: SearchDialect) { self.dialect = dialect }

    /// Adds a condition of ours; `?` in it stand for `bound`, in order.
    mutating func require(_ condition: String, _ bound: [DatabaseValue] = []) {
        conditions.append(condition)
        values += bound
    }

    /// Adds the clauses of a client's filter.
    mutating func require(filter: String) throws(TrackingError) {
        for clause in try FilterParser.clauses(filter) { try require(clause) }
    }

    /// Adds one clause.
    mutating func require(_ clause: SearchClause) throws(TrackingError) {
        switch clause.entity {
        case .attribute: try requireAttribute(clause)
        case .metric: try requireMetric(clause)
        case .parameter:
            guard let table = dialect.parameterTable else { throw unknown(clause.entity) }
            try requireText(clause, table: table, key: "param_key", value: "param_value")
        case .tag: try requireText(clause, table: dialect.tagTable, key: "tag_key", value: "tag_value")
        case .dataset: try requireDataset(clause)
        }
    }

    /// Adds a client's ordering terms.
    mutating func order(by terms: [String]) throws(TrackingError) {
        guard terms.count <= 16 else { throw .invalid("At most 16 order_by clauses are taken.") }
        for term in terms { try order(by: try FilterParser.order(term)) }
    }

    /// Adds one ordering term; missing values and NaN come last in either direction.
    mutating func order(
        by term: SearchOrder, datasetName: String? = nil, datasetDigest: String? = nil
    ) throws(TrackingError) {
        let direction = term.isAscending ? "ASC" : "DESC"
        if term.entity == .attribute {
            guard
                let column = dialect.orderOnlyAttributes[term.key] ?? dialect.numberAttributes[term.key]
                    ?? dialect.textAttributes[term.key]
            else { throw unknownAttribute(term.key) }
            orders.append("CASE WHEN \(column) IS NULL THEN 1 ELSE 0 END, \(column) \(direction)")
            return
        }
        let alias = "o\(joins.count)"
        let join = dialect.join.replacing("x.", with: "\(alias).")
        switch term.entity {
        case .metric:
            guard let table = dialect.metricTable else { throw unknown(term.entity) }
            var condition = "\(alias).metric_key = ?"
            joinValues.append(.text(term.key))
            if let datasetName {
                condition += " AND \(alias).dataset_name = ?"
                joinValues.append(.text(datasetName))
            }
            if let datasetDigest {
                condition += " AND \(alias).dataset_digest = ?"
                joinValues.append(.text(datasetDigest))
            }
            if !dialect.metricSeries.isEmpty {
                // Of several values, over runs and data sets, the newest orders: the one that none comes after.
                let later = alias + "n"
                func row(_ alias: String) -> String {
                    dialect.metricSeries.map { "\(alias).\($0)" }.joined(separator: ", ")
                }
                condition += """
                     AND NOT EXISTS (SELECT 1 FROM \(table) \(later) WHERE \
                    \(dialect.join.replacing("x.", with: "\(later).")) AND \
                    \(condition.replacing("\(alias).", with: "\(later).")) AND (\(row(later))) > (\(row(alias))))
                    """
                joinValues += joinValues.suffix(1 + (datasetName == nil ? 0 : 1) + (datasetDigest == nil ? 0 : 1))
            }
            joins.append("LEFT JOIN \(table) \(alias) ON \(join) AND \(condition)")
            orders.append(
                "CASE WHEN \(alias).is_nan = 1 THEN 1 WHEN \(alias).value IS NULL THEN 2 ELSE 0 END, \(alias).value \(direction)"
            )
        case .parameter, .tag:
            guard let table = term.entity == .tag ? dialect.tagTable : dialect.parameterTable else {
                throw unknown(term.entity)
            }
            let name = term.entity == .tag ? "tag" : "param"
            joinValues.append(.text(term.key))
            joins.append("LEFT JOIN \(table) \(alias) ON \(join) AND \(alias).\(name)_key = ?")
            orders.append(
                "CASE WHEN \(alias).\(name)_value IS NULL THEN 1 ELSE 0 END, \(alias).\(name)_value \(direction)")
        case .attribute, .dataset:
            throw .invalid("Invalid order_by entity type '\(term.entity.rawValue)'")
        }
    }

    /// The SELECT of `columns`, tie-broken by `tieBreak`.
    func select(_ columns: String, tieBreak: String, limit: Int, offset: Int) -> (sql: String, values: [DatabaseValue])
    {
        var sql = "SELECT \(columns) FROM \(dialect.base)"
        for join in joins { sql += " \(join)" }
        if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
        sql += " ORDER BY " + (orders + [tieBreak]).joined(separator: ", ") + " LIMIT ? OFFSET ?"
        return (sql, joinValues + values + [.int(limit), .int(offset)])
    }

    private mutating func requireAttribute(_ clause: SearchClause) throws(TrackingError) {
        if let column = dialect.numberAttributes[clause.key] {
            let bound: DatabaseValue
            switch clause.value {
            case .integer(let number): bound = .int(number)
            case .decimal(let number): bound = .double(number)
            case .text(let text):
                guard let number = Int(text) else {
                    throw expectedNumber("numeric attribute: \(clause.key)", clause.value)
                }
                bound = .int(number)
            case .list, .none: throw expectedNumber("numeric attribute: \(clause.key)", clause.value)
            }
            return require("\(column) \(try numeric(clause)) ?", [bound])
        }
        guard let column = dialect.textAttributes[clause.key] else { throw unknownAttribute(clause.key) }
        if case .list = clause.value, !dialect.listAttributes.contains(clause.key) {
            throw .invalid(
                "Only \(dialect.listAttributes.sorted()) attributes support comparison with a list of quoted string values."
            )
        }
        try requireText(clause, column: column)
    }

    private mutating func requireMetric(_ clause: SearchClause) throws(TrackingError) {
        guard let table = dialect.metricTable else { throw unknown(clause.entity) }
        let bound: DatabaseValue
        switch clause.value {
        case .integer(let number): bound = .double(Double(number))
        case .decimal(let number): bound = .double(number)
        case .text, .list, .none: throw expectedNumber("metric", clause.value)
        }
        require(
            "EXISTS (SELECT 1 FROM \(table) x WHERE \(dialect.join) AND x.metric_key = ? AND x.is_nan = 0 AND x.value \(try numeric(clause)) ?)",
            [.text(clause.key), bound])
    }

    private mutating func requireText(
        _ clause: SearchClause, table: String, key: String, value: String
    ) throws(TrackingError) {
        let present = "EXISTS (SELECT 1 FROM \(table) x WHERE \(dialect.join) AND x.\(key) = ?"
        switch clause.comparison {
        case .isNull, .isNotNull:
            guard dialect.tagsMayBeNull else { throw invalidComparison(clause) }
            require((clause.comparison == .isNull ? "NOT " : "") + present + ")", [.text(clause.key)])
        case .equal, .notEqual, .like, .caselessLike:
            let (condition, bound) = try textCondition(clause, column: "x.\(value)")
            require("\(present) AND \(condition))", [.text(clause.key), bound])
        default: throw invalidComparison(clause)
        }
    }

    private mutating func requireText(
        _ clause: SearchClause, column: String
    ) throws(TrackingError) {
        switch clause.comparison {
        case .isIn, .isNotIn:
            guard case .list(let list) = clause.value else { throw invalidComparison(clause) }
            let marks = Array(repeating: "?", count: list.count).joined(separator: ", ")
            require("\(column) \(clause.comparison.rawValue) (\(marks))", list.map(DatabaseValue.text))
        default:
            let (condition, bound) = try textCondition(clause, column: column)
            require(condition, [bound])
        }
    }

    private mutating func requireDataset(_ clause: SearchClause) throws(TrackingError) {
        guard dialect.hasDatasets else { throw unknown(clause.entity) }
        let columns = ["name": "s.name", "digest": "s.digest", "context": "t.tag_value"]
        guard let column = columns[clause.key] else {
            throw .invalid(
                "Invalid dataset key '\(NameRules.abbreviated(clause.key))' specified. Valid keys are 'name', 'digest', 'context'"
            )
        }
        var inner = SearchQuery(dialect)
        try inner.requireText(clause, column: column)
        require(
            """
            EXISTS (SELECT 1 FROM run_datasets d JOIN datasets s ON s.dataset_number = d.dataset_number \
            LEFT JOIN run_dataset_tags t ON t.run_number = d.run_number AND t.dataset_number = d.dataset_number \
            AND t.tag_key = 'mlflow.data.context' WHERE d.run_number = b.run_number AND \(inner.conditions.joined(separator: " AND ")))
            """, inner.values)
    }

    private func textCondition(_ clause: SearchClause, column: String) throws(TrackingError) -> (String, DatabaseValue)
    {
        guard case .text(let text) = clause.value else {
            throw .invalid(
                "Expected a quoted string value for \(clause.entity.rawValue) (e.g. 'my-value'). Got value \(clause.value.shown)"
            )
        }
        switch clause.comparison {
        case .equal, .notEqual: return ("\(column) \(clause.comparison.rawValue) ?", .text(text))
        case .like, .caselessLike:
            guard text.utf8.count <= 1000 else { throw .invalid("A LIKE pattern is longer than 1000 bytes.") }
            // A backslash stands for itself, in every database; letters beyond ASCII keep their case in both.
            let backslash = UInt8(ascii: "\\")
            let pattern = String(utf8: text.utf8.flatMap { $0 == backslash ? [$0, $0] : [$0] })
            if clause.comparison == .like { return ("\(column) LIKE ? ESCAPE '\\'", .text(pattern)) }
            let lower = String(utf8: pattern.utf8.map(ASCII.lowercase))
            return ("LOWER(\(column)) LIKE ? ESCAPE '\\'", .text(lower))
        default: throw invalidComparison(clause)
        }
    }

    private func numeric(_ clause: SearchClause) throws(TrackingError) -> String {
        switch clause.comparison {
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: clause.comparison.rawValue
        default: throw invalidComparison(clause)
        }
    }

    private func invalidComparison(_ clause: SearchClause) -> TrackingError {
        .invalid(
            "Invalid comparator '\(clause.comparison.rawValue)' for \(clause.entity.rawValue) '\(NameRules.abbreviated(clause.key))'"
        )
    }

    private func expectedNumber(_ what: String, _ value: SearchValue) -> TrackingError {
        .invalid("Expected numeric value type for \(what). Found \(value.shown)")
    }

    private func unknown(_ entity: SearchEntity) -> TrackingError {
        .invalid("Invalid entity type '\(entity.rawValue)' for this search.")
    }

    private func unknownAttribute(_ key: String) -> TrackingError {
        let known = Set(dialect.textAttributes.keys).union(dialect.numberAttributes.keys)
            .union(dialect.orderOnlyAttributes.keys).sorted()
        return .invalid("Invalid attribute key '\(NameRules.abbreviated(key))' specified. Valid keys are '\(known)'")
    }
}
