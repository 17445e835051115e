// An LMTP server for tests (RFC 2033): says yes to all but the final dot, which a function answers
// for each recipient. Set PeerPlan::talk to it.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "ports/stream.h"

namespace tapal::delivery {

class LmtpPeer {
 public:
  std::function<std::string(const std::string& path)> answer;  // "250 2.0.0 saved"; empty: that
  std::vector<std::string> commands;
  std::vector<std::string> mails;  // as they were sent, without the dot

  Task<void> talk(Stream& stream) {
    if (!co_await stream.write("220 box.example LMTP\r\n", never)) co_return;
    std::array<char, 4096> buffer{};
    for (;;) {
      const auto count = co_await stream.read(buffer, never);
      if (!count) co_return;
      arrived_.append(buffer.data(), *count);
      auto replies = answer_all();
      if (!co_await stream.write(replies, never)) co_return;
    }
  }

 private:
  std::string answer_all() {
    std::string replies;
    for (auto end = arrived_.find("\r\n"); end != std::string::npos; end = arrived_.find("\r\n")) {
      const auto line = arrived_.substr(0, end + 2);
      arrived_.erase(0, end + 2);
      replies += in_data_ ? on_text(line) : on_command(line.substr(0, end));
    }
    return replies;
  }
  std::string on_command(const std::string& line) {
    commands.push_back(line);
    if (line.starts_with("LHLO")) return "250-box.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n";
    if (line.starts_with("RCPT")) paths_.push_back(line.substr(8, line.find('>') - 7));
    if (line != "DATA") return line == "QUIT" ? "221 2.0.0 bye\r\n" : "250 2.0.0 ok\r\n";
    in_data_ = true;
    mails.emplace_back();
    return "354 go on\r\n";
  }
  std::string on_text(const std::string& line) {
    if (line != ".\r\n") return mails.back() += line, std::string();
    in_data_ = false;
    std::string replies;
    for (const auto& path : paths_)
      replies += (answer ? answer(path) : std::string("250 2.0.0 saved")) + "\r\n";
    paths_.clear();
    return replies;
  }

  std::string arrived_;
  std::vector<std::string> paths_;
  bool in_data_ = false;
};

}  // namespace tapal::delivery
