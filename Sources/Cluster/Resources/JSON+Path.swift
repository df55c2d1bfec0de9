package import Formats

extension JSON {
    /// The member at a path of object members; nil when a step is missing. Setting makes the objects on the way, and
    /// setting nil removes the last member.
    package subscript(path first: String, _ rest: String...) -> JSON? {
        get { rest.reduce(self[first]) { $0?[$1] } }
        set { set([first] + rest, newValue) }
    }

    private mutating func set(_ path: [String], _ value: JSON?) {
        guard let first = path.first else { return }
        if path.count == 1 {
            self[first] = value
            return
        }
        if value == nil, self[first] == nil { return }
        var child = self[first] ?? .object(JSONObject())
        child.set(Array(path.dropFirst()), value)
        self[first] = child
    }

    /// The members of an object whose values are texts, such as labels.
    package var stringMap: [String: String] {
        var map: [String: String] = [:]
        for (key, value) in objectValue ?? JSONObject() { map[key] = value.stringValue }
        return map
    }
}
