import Testing

@testable import Packs

struct PackDateTests {
    @Test(arguments: ["20201104", "20200229", "20001231", "19000101", "99991231", "24000229"])
    func aDay(_ text: String) { #expect(PackDate(text)?.text == text) }

    @Test(arguments: [
        "20241399", "20201301", "20200230", "20210229", "19000229", "20200431", "20200001", "20200100", "18991231",
        "2020110",
        "202011041", "2020-1-4", "", "2020110a", "+2020110", "２０２０１１０４",
    ])
    func noDay(_ text: String) { #expect(PackDate(text) == nil) }

    @Test func theNewestCountsWhateverTheOrder() throws {
        let listing = ModelListing([
            "20201107.zip", "20191231.zip", "checkpoint", "20210101.zip", "20241399.zip", "latest.zip", "20220101.ZIP",
        ])
        #expect(listing.dates.map(\.text) == ["20210101", "20201107", "20191231"])
        #expect(listing.ignored == ["20241399.zip", "latest.zip"])
        #expect(try listing.pick(nil, place: "here").text == "20210101")
        #expect(try listing.pick(PackDate("20191231"), place: "here").text == "20191231")
    }

    @Test func whatIsMissingIsSaid() {
        let nothing = PackError(
            .notFound, "here holds no model; put one there as YYYYMMDD.zip, such as 20201104.zip")
        #expect(throws: nothing) { try ModelListing(["readme.md"]).pick(nil, place: "here") }
        let absent = PackError(.notFound, "20200101.zip is not in here; the newest is 20201104.zip")
        #expect(throws: absent) { try ModelListing(["20201104.zip"]).pick(PackDate("20200101"), place: "here") }
        let wrong = PackError(
            .packInvalid,
            "here holds 20241399.zip, and 20241399.zip is not named after a day; a model is YYYYMMDD.zip, such as "
                + "20201104.zip")
        #expect(throws: wrong) { try ModelListing(["20241399.zip"]).pick(nil, place: "here") }
    }
}

struct PackLayoutTests {
    @Test func filesAreTheDocuments() throws {
        let layout = try #require(PackLayout(name: "test_model"))
        #expect(layout.sourceFile == "test_model/src/test_model.zip")
        #expect(layout.modelFile(try #require(PackDate("20201104"))) == "test_model/model/20201104.zip")
    }

    @Test(arguments: ["", "..", ".hidden", "a/b", "a b", "모델", String(repeating: "n", count: 256)])
    func otherNamesAreRefused(_ name: String) { #expect(PackLayout(name: name) == nil) }
}
