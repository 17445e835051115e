#include "drivers/system/detached_program.h"

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

namespace tapal {
namespace {

using std::chrono::steady_clock;

struct Scratch {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("tapal-detached-" + std::to_string(::getpid()));
  Scratch() { std::filesystem::create_directory(path); }
  ~Scratch() { std::filesystem::remove_all(path); }
};

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What the file holds once it ends with `end`, or after ten seconds.
std::string await(const std::filesystem::path& file, std::string_view end) {
  const auto until = steady_clock::now() + std::chrono::seconds(10);
  while (!text_of(file).ends_with(end) && steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return text_of(file);
}

TEST(DetachedProgram, has_a_session_of_its_own_and_writes_into_its_log) {
  const Scratch scratch;
  const auto log = scratch.path / "log";
  // The fields of /proc/self/stat: pid, name, state, parent, process group, session.
  ASSERT_TRUE(start_detached({"/bin/cat", "/proc/self/stat"}, log));
  const auto stat = await(log, "\n");
  int pid = 0;
  int group = 0;
  int session = 0;
  ASSERT_EQ(std::sscanf(stat.c_str(), "%d (cat) %*c %*d %d %d", &pid, &group, &session), 3) << stat;
  EXPECT_NE(session, getsid(0));
  ASSERT_TRUE(start_detached({"/bin/pwd"}, log));
  EXPECT_EQ(await(log, "\n/\n"), stat + "/\n");
  EXPECT_EQ(std::filesystem::status(log).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(DetachedProgram, tells_when_it_cannot_be_started) {
  const Scratch scratch;
  EXPECT_EQ(start_detached({"/nowhere/tapal"}, scratch.path / "log").error().code, Code::not_found);
  EXPECT_EQ(start_detached({"/etc/passwd"}, scratch.path / "log").error().code, Code::denied);
  EXPECT_EQ(start_detached({"/bin/pwd"}, scratch.path / "no" / "log").error().code, Code::denied);
}

}  // namespace
}  // namespace tapal
