import HTTP
import ServerTesting
import Testing

@testable import Console

@Suite struct ForgeryTests {
    @Test func aWriteNeedsTheSessionsToken() async throws {
        try await withConsole { console in
            let fields = try await console.logIn()
            var without = fields
            without["X-CSRF-Token"] = nil
            var wrong = fields
            wrong["X-CSRF-Token"] = String(repeating: "0", count: 64)
            for fields in [without, wrong] {
                for (method, target) in [
                    (HTTPMethod.put, "/s3/new"), (.delete, "/s3/new"), (.post, "/console/share"),
                    (.post, "/api/2.0/mlflow/runs/search"), (.delete, "/console/session"),
                ] {
                    let answer = try await console.client.execute(method, target, fields: fields, body: [])
                    #expect(answer.status == 403 && answer.text.contains("ForgeryGuard"), "\(method.name) \(target)")
                }
            }
            #expect(console.store.seen.target == "/", "only the log-in reached the store")
            let right = try await console.client.execute(.put, "/s3/new", fields: fields, body: [])
            #expect(right.status == 200 && console.store.seen.target == "/new")
        }
    }

    @Test func aPageOfAnotherSiteIsRefused() async throws {
        try await withConsole { console in
            var fields = try await console.logIn()
            fields["Origin"] = "http://evil.example"
            let write = try await console.client.execute(.put, "/s3/new", fields: fields, body: [])
            #expect(write.status == 403)
            let body = Array(#"{"user":"root","password":"root-secret"}"#.utf8)
            let logIn = try await console.client.execute(
                .post, "/console/session", fields: ["Origin": "http://evil.example"], body: body)
            #expect(logIn.status == 403)
            fields["Origin"] = "http://127.0.0.1"
            let own = try await console.client.execute(.put, "/s3/new", fields: fields, body: [])
            #expect(own.status == 200)
        }
    }
}

@Suite struct PageTests {
    @Test func pagesAllowNothingInline() async throws {
        try await withConsole { console in
            let page = try await console.client.execute(.get, "/")
            let policy = try #require(page.fields["Content-Security-Policy"])
            #expect(policy.contains("script-src 'self';") && policy.contains("default-src 'none'"))
            #expect(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"))
            #expect(page.fields["X-Content-Type-Options"] == "nosniff" && page.fields["X-Frame-Options"] == "DENY")
            #expect(page.text.contains("assets/app.js"))
            #expect(!page.text.contains("style=") && !page.text.contains("onclick"))
        }
    }

    @Test(arguments: TestMode.allCases)
    func filesHaveETagsAndCompressedForms(mode: TestMode) async throws {
        try await withConsole(mode) { console in
            let plain = try await console.client.execute(.get, "/assets/app.js")
            let etag = try #require(plain.fields["ETag"])
            #expect(plain.status == 200 && plain.fields["Content-Type"] == "text/javascript; charset=utf-8")
            let packed = try await console.client.execute(
                .get, "/assets/app.js", fields: ["Accept-Encoding": "br, gzip;q=0.8"], body: [])
            #expect(packed.fields["Content-Encoding"] == "gzip" && packed.body.count < plain.body.count)
            let refused = try await console.client.execute(
                .get, "/assets/app.js", fields: ["Accept-Encoding": "gzip;q=0"], body: [])
            #expect(refused.fields["Content-Encoding"] == nil && refused.body == plain.body)
            let same = try await console.client.execute(
                .get, "/assets/app.js", fields: ["If-None-Match": etag], body: [])
            #expect(same.status == 304 && same.body.isEmpty)
        }
    }

    @Test func theChartLibraryIsThere() async throws {
        try await withConsole { console in
            let chart = try await console.client.execute(.get, "/assets/chart.min.js")
            #expect(chart.status == 200 && chart.body.count > 100_000 && chart.text.contains("Chart"))
        }
    }

    @Test(arguments: ["/assets/", "/assets/nothing.js", "/assets/../index.html", "/assets/%2e%2e/etc/passwd", "/other"])
    func whatIsNotAFileIsNotServed(target: String) async throws {
        try await withConsole { console in
            let fields = try await console.logIn()
            let answer = try await console.client.execute(.get, target, fields: fields, body: [])
            #expect(answer.status == 404)
        }
    }

    @Test func inTheStoresProcessThereAreObjectsAlone() async throws {
        try await withConsole(scope: .objects) { console in
            let fields = try await console.logIn()
            let session = try await console.client.execute(.get, "/console/session", fields: fields, body: [])
            #expect(session.text.contains(#""scope":"objects""#) && session.text.contains(#""parts":["objects"]"#))
            let buckets = try await console.client.execute(.get, "/console/buckets", fields: fields, body: [])
            #expect(buckets.status == 200)
            for target in ["/api/2.0/mlflow/experiments/search", "/infer/v2", "/cluster/api/v1/pods"] {
                let answer = try await console.client.execute(.get, target, fields: fields, body: [])
                #expect(answer.status == 404, "\(target)")
            }
            let overview = try await console.client.execute(.get, "/console/overview", fields: fields, body: [])
            #expect(overview.text.contains(#""role":"store""#) && !overview.text.contains("track"))
        }
    }

    @Test func theTrackingPagesStandInFrontOfTheirApi() async throws {
        let handler = ConsolePages().handler { _ in Response(.accepted, text: "api") }
        try await withTestClient(.inProcess, handler: handler) { client in
            let page = try await client.execute(.get, "/")
            #expect(page.status == 200 && page.fields["Content-Security-Policy"] != nil)
            let session = try await client.execute(.get, "/console/session")
            #expect(session.text.contains(#""needsLogIn":false"#))
            for target in ["/api/2.0/mlflow/experiments/search", "/health", "/get-artifact", "/s3/data"] {
                #expect(try await client.execute(.get, target).status == 202, "\(target)")
            }
        }
    }
}
