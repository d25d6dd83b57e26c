// Runs as child processes: several at a time, each able to be run by hand with the same command.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace scion {

/// One training run of a comparison.
struct Job {
  std::string name;                      ///< "xavier full seed 1"
  std::filesystem::path directory;       ///< of the run; its log goes to log.txt inside
  std::vector<std::string> command;      ///< program and arguments
  std::vector<std::string> after;        ///< names of jobs that must be done before
  std::function<void()> prepare;         ///< called in this process before the start
  std::function<std::string()> changed;  ///< what differs from the run that lies there; "": nothing
  std::function<bool()> done;            ///< the work is there already
  std::function<double()> progress;      ///< share done, 0 … 1, cheap to ask
  double cost = 1;                       ///< of the whole job, in any unit that all jobs share
};

/// UserError naming the jobs whose runs were begun with other settings than they have now.
void check_unchanged(const std::vector<Job>& jobs);

/// Runs the jobs in order of the list, `at_once` at a time, with one progress line. Children die
/// with this process. Failure with the end of the log of the first job that fails; the others are
/// stopped.
void run_jobs(std::vector<Job> jobs, int64_t at_once);

}  // namespace scion
