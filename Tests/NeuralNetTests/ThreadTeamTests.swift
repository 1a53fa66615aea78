import Synchronization
import Testing

@testable import NeuralNet

@Suite struct ThreadTeamTests {
  /// More threads than cores, many short jobs: every share runs once, nothing outlives `run`.
  @Test(arguments: [1, 2, 4, 7])
  func everyShareRunsOnce(_ threads: Int) {
    let team = ThreadTeam(count: threads)
    let total = Atomic<Int>(0)
    let rounds = 3000
    for round in 0..<rounds {
      team.run { index in total.add(index + round % 2, ordering: .relaxed) }
    }
    let shares = team.count * (team.count - 1) / 2
    #expect(total.load(ordering: .relaxed) == rounds * shares + rounds / 2 * team.count)
  }
}
