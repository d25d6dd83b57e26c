// How the program's threads wait for each other. libgomp's spin for milliseconds at the end of
// every parallel loop; where other programs want the cores too, the thread that is waited for is
// the one that spinning keeps from running, and two threads are many times slower than one.
// After 1000 turns, some microseconds, they sleep instead.
//
// libgomp reads its settings when it is loaded, which is before main(). The entries of
// .preinit_array run before any library's own start: there the program begins again with the
// setting in its environment. Programs that use scion as a library choose it themselves.
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace {

constexpr size_t most_variables = 4096;
std::array<char*, most_variables + 2> variables;
std::array<char, 20> setting = {"GOMP_SPINCOUNT=1000"};

bool begins_with(const char* text, const char* start) {
  return std::strncmp(text, start, std::strlen(start)) == 0;
}

void choose_how_to_wait(int /*count*/, char** arguments, char** environment) {
  size_t count = 0;
  for (; environment[count] != nullptr; ++count) {
    const char* const variable = environment[count];
    if (begins_with(variable, "GOMP_SPINCOUNT=") || begins_with(variable, "OMP_WAIT_POLICY="))
      return;
    if (count == most_variables) return;
    variables[count] = environment[count];
  }
  variables[count] = setting.data();
  // Where this fails the program goes on, only slower on busy cores.
  execve("/proc/self/exe", arguments, variables.data());
}

[[maybe_unused, gnu::used,
  gnu::section(".preinit_array")]] void (*const entry)(int, char**, char**) = choose_how_to_wait;

}  // namespace
