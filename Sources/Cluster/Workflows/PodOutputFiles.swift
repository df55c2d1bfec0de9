import Files
import Formats

/// Reads what the launcher kept of a step, and moves artifacts to where they outlive the pod. Blocks.
enum PodOutputFiles {
    static func take(
        folder: String, declared: [JSON], artifacts: String, base: String
    ) throws -> (result: [UInt8]?, collected: [WorkflowRun.Collected?]) {
        let result = FileTools.read(folder + "/stdout", bytesMax: PodPlan.resultBytesMax + 1)
        var collected: [WorkflowRun.Collected?] = []
        for (index, output) in declared.enumerated() {
            let file = "\(folder)/outputs/\(index)"
            if FileTools.exists(file + ".large") {
                collected.append(.tooLarge)
            } else if output["tree"]?.boolValue == true {
                let key = "\(base)/\(index).tar"
                let place = "\(artifacts)/\(key)"
                // A second look, after a restart, finds it moved already.
                if FileTools.exists(file) {
                    try FileTools.makeFolder("\(artifacts)/\(base)")
                    try FileTools.move(file, to: place)
                }
                collected.append(FileTools.exists(place) ? .archive(key: key) : nil)
            } else {
                collected.append(FileTools.read(file).map { .text($0) })
            }
        }
        return (result, collected)
    }
}
