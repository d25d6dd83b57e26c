// Log lines of the program: on stderr, because results go to stdout.
#pragma once

namespace scion {

/// Writes lines "12:30:05 message" to stderr; warnings are marked. Progress is redrawn in place on
/// a terminal, elsewhere it is one plain line every 10 s. `quiet` leaves warnings only.
void start_logging(bool quiet);

}  // namespace scion
