import Testing

@testable import Tracking

struct FilterParserTests {
    @Test(arguments: [
        ("metrics.loss < 0.5", SearchClause(entity: .metric, key: "loss", comparison: .less, value: .decimal(0.5))),
        (
            "metric.`a b` >= -3",
            SearchClause(entity: .metric, key: "a b", comparison: .greaterOrEqual, value: .integer(-3))
        ),
        (
            "params.\"x.y\"='it''s'",
            SearchClause(entity: .parameter, key: "x.y", comparison: .equal, value: .text("it's"))
        ),
        (
            "tags.mlflow.source.name != \"n\"",
            SearchClause(entity: .tag, key: "mlflow.source.name", comparison: .notEqual, value: .text("n"))
        ),
        (
            "status ilike 'fin%'",
            SearchClause(entity: .attribute, key: "status", comparison: .caselessLike, value: .text("fin%"))
        ),
        (
            "run_id not  in ('a' , 'b')",
            SearchClause(entity: .attribute, key: "run_id", comparison: .isNotIn, value: .list(["a", "b"]))
        ),
        ("tag.k is not null", SearchClause(entity: .tag, key: "k", comparison: .isNotNull, value: .none)),
        (
            "attributes.start_time > 1e3",
            SearchClause(entity: .attribute, key: "start_time", comparison: .greater, value: .decimal(1000))
        ),
        ("dataset.name = 'd'", SearchClause(entity: .dataset, key: "name", comparison: .equal, value: .text("d"))),
        ("tags.größe = '1'", SearchClause(entity: .tag, key: "größe", comparison: .equal, value: .text("1"))),
    ])
    func oneClause(text: String, expected: SearchClause) throws {
        #expect(try FilterParser.clauses(text) == [expected])
    }

    @Test func clausesAreJoinedByAnd() throws {
        let clauses = try FilterParser.clauses("  metrics.a > 1 and params.b = 'and' AND tags.c LIKE '%' ")
        #expect(clauses.map(\.key) == ["a", "b", "c"])
        #expect(try FilterParser.clauses("").isEmpty)
    }

    @Test(arguments: [
        "metrics.a", "metrics.a >", "metrics. > 1", "metrics.a > 1 OR metrics.b > 1", "metrics.a > 'x", "a = b",
        "a == 'b'",
        "a = 'b'; drop table runs", "(a = 'b')", "a = ''' ", "run_id IN ()", "run_id IN ('a',)", "run_id IN ('a'",
        "a IS 'x'",
        "a NOT LIKE 'x'", "bogus.a = 'x'", "metrics.a > nan", "metrics.a > inf", "metrics.a > 0x10", "a = 'b' AND",
        "AND a = 'b'",
        "`a = 'b'",
    ])
    func illFormedFiltersAreRefused(text: String) {
        #expect { try FilterParser.clauses(text) } throws: { ($0 as? TrackingError)?.code == .invalidParameterValue }
    }

    @Test func orderings() throws {
        #expect(try FilterParser.order("metrics.a DESC") == SearchOrder(entity: .metric, key: "a", isAscending: false))
        #expect(
            try FilterParser.order("params.`x y`") == SearchOrder(entity: .parameter, key: "x y", isAscending: true))
        #expect(
            try FilterParser.order("start_time asc")
                == SearchOrder(entity: .attribute, key: "start_time", isAscending: true))
        #expect(throws: TrackingError.self) { try FilterParser.order("metrics.a UP") }
    }

    @Test func valuesNeverBecomeSQL() throws {
        var query = SearchQuery(.runs)
        try query.require(filter: "params.`x' OR 1=1 --` = 'a'' OR 1=1' AND metrics.m > 1 AND status = 'x'")
        try query.order(by: ["tags.`t'; DROP TABLE runs` DESC"])
        let (sql, values) = query.select("b.run_id", tieBreak: "b.run_id", limit: 1, offset: 0)
        #expect(!sql.contains("1=1") && !sql.contains("DROP"))
        #expect(values.count == sql.utf8.count { $0 == UInt8(ascii: "?") })
    }

    @Test func tokensGoBothWays() throws {
        let token = PageToken(offset: 1000, ceiling: 7)
        #expect(try PageToken(token.text) == token)
        #expect(try PageToken(PageToken(offset: 3, ceiling: nil).text) == PageToken(offset: 3, ceiling: nil))
        for text in ["", "x", "cDE6", "cDE6LTE6", "eyJvZmZzZXQiOiAyfQ=="] {
            #expect(throws: TrackingError.self) { try PageToken(text) }
        }
    }
}
