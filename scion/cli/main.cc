#include "scion/cli/program.h"

int main(int argc, char** argv) { return scion::run_command_line(argc, argv); }
