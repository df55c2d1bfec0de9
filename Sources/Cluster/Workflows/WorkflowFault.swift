/// Why a workflow or one of its nodes cannot go on as written: phase `Error`, with this message.
struct WorkflowFault: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
