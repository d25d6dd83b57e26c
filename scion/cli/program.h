// The program `scion`: its commands, and what it prints where one fails.
#pragma once

namespace scion {

/// Runs the command that the arguments name; the exit status: 0, 1 (a failure), 2 (a mistake in the
/// command line or in an input).
int run_command_line(int argc, char** argv);

}  // namespace scion
