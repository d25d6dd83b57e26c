// scion score: word error rate of hypotheses.
#pragma once

namespace CLI {
class App;
}

namespace scion {

/// Registers `score` on the program.
void add_score(CLI::App& app);

}  // namespace scion
