import Database

extension TrackingStore {
    /// All points of a metric by time, step and value; `countMax` nil gives them all in one page.
    package func metricHistory(
        runID: String, key: String, countMax: Int?, pageToken: String?
    ) async throws -> Page<MetricPoint> {
        try await read { connection in
            let run = try Self.information(runID, connection)
            let token = try Self.token(pageToken, nil, connection)
            let limit = countMax.map { $0 + 1 } ?? Int(Int32.max)
            var points = try connection.query(
                """
                SELECT metric_key, value, logged_at, step, is_nan FROM metric_points
                WHERE run_number = ? AND metric_key = ? ORDER BY logged_at, step, value, is_nan LIMIT ? OFFSET ?
                """, .int(run.number), .text(key), .int(limit), .int(token.offset), row: metricPoint)
            guard let countMax else { return Page(elements: points, nextPageToken: nil) }
            let next = token.next(found: points.count, countMax: countMax)
            if points.count > countMax { points.removeLast(points.count - countMax) }
            return Page(elements: points, nextPageToken: next)
        }
    }

    /// The first `countMax` points of a metric over several runs, by run id, time, step and value.
    package func metricHistories(runIDs: [String], key: String, countMax: Int) async throws -> [MetricPoint] {
        try await read { connection in
            var out: [MetricPoint] = []
            for id in Set(runIDs).sorted() where out.count < countMax {
                guard let run = try? Self.information(id, connection) else { continue }
                var points = try connection.query(
                    """
                    SELECT metric_key, value, logged_at, step, is_nan FROM metric_points
                    WHERE run_number = ? AND metric_key = ? ORDER BY logged_at, step, value, is_nan LIMIT ?
                    """, .int(run.number), .text(key), .int(countMax - out.count), row: metricPoint)
                for index in points.indices { points[index].runID = id }
                out += points
            }
            return out
        }
    }

    /// Up to `countMax` points of each run, evenly spread by step, the first and last included.
    package func sampledHistories(
        runIDs: [String], key: String, steps: ClosedRange<Int>?, countMax: Int
    ) async throws -> [MetricPoint] {
        try await read { connection in
            var out: [MetricPoint] = []
            for id in runIDs {
                let run = try Self.information(id, connection)
                out += try Self.sample(run, key, steps ?? Int.min...Int.max, countMax, connection)
            }
            return out
        }
    }

    private static func sample(
        _ run: RunInformation, _ key: String, _ steps: ClosedRange<Int>, _ countMax: Int,
        _ connection: DatabaseConnection
    ) throws -> [MetricPoint] {
        let bounds: [DatabaseValue] = [.int(run.number), .text(key), .int(steps.lowerBound), .int(steps.upperBound)]
        let condition = "run_number = ? AND metric_key = ? AND step >= ? AND step <= ?"
        var count = 0
        try connection.forEach("SELECT COUNT(*) FROM metric_points WHERE \(condition)", values: bounds) {
            count = $0.int(0)
            return true
        }
        var out: [MetricPoint] = []
        var index = 0
        var nextPick = 0
        // The table is clustered in this order: one pass, and only picked rows are turned into points.
        try connection.stream(
            """
            SELECT metric_key, value, logged_at, step, is_nan FROM metric_points WHERE \(condition)
            ORDER BY step, logged_at, value, is_nan
            """, values: bounds
        ) { row in
            defer { index += 1 }
            let pick = count <= countMax ? index : countMax == 1 ? count - 1 : nextPick * (count - 1) / (countMax - 1)
            guard index == pick else { return true }
            nextPick += 1
            var point = metricPoint(row)
            point.runID = run.id
            out.append(point)
            return out.count < countMax
        }
        return out
    }
}
