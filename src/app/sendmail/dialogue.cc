// `sendmail -bs`: the server's own session, with a program of this machine at the other end.
#include <array>
#include <utility>
#include <variant>

#include <poll.h>
#include <unistd.h>

#include "app/sendmail/sendmail.h"
#include "drivers/system/clock.h"
#include "protocols/smtp/server_session.h"

namespace tapal::app {
namespace {

using smtp::make_reply;

class Dialogue {
 public:
  Dialogue(int from, int to, std::function<Result<void>(queue::DroppedMail)> leave)
      : from_(from), to_(to), leave_(std::move(leave)), session_(options(), clock_.now()) {}

  void run() {
    for (bool open = true; open;) {
      while (auto action = session_.next_action())
        if (!perform(*std::move(action))) return;
      open = session_.wants_bytes() && read();
    }
  }

 private:
  static smtp::ServerOptions options() {
    smtp::ServerOptions options;
    options.hostname = "localhost";
    options.limits.message_bytes = queue::dropped_message_bytes_max;
    options.limits.recipients = queue::dropped_recipients_max;
    return options;
  }

  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto count = ::write(to_, bytes.data(), bytes.size());
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  bool read() {
    pollfd wait{from_, POLLIN, 0};
    const auto left = session_.deadline() - clock_.now();
    const auto patience = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    if (::poll(&wait, 1, static_cast<int>(patience)) == 0) {
      session_.on_time(clock_.now());
      return true;
    }
    std::array<char, 65536> buffer{};
    const auto count = ::read(from_, buffer.data(), buffer.size());
    if (count <= 0) return false;
    session_.on_bytes({buffer.data(), static_cast<std::size_t>(count)}, clock_.now());
    return true;
  }

  // False: it is over.
  bool perform(smtp::ServerAction action) {
    if (auto* send = std::get_if<smtp::Send>(&action)) return write(send->bytes);
    if (std::holds_alternative<smtp::Close>(action)) return false;
    if (std::holds_alternative<smtp::AskSender>(action)) {
      mail_ = {};
      session_.on_sender({}, clock_.now());
    } else if (std::holds_alternative<smtp::AskRecipient>(action)) {
      session_.on_recipient({}, clock_.now());
    } else if (auto* body = std::get_if<smtp::BodyBytes>(&action)) {
      mail_.message += body->bytes;
    } else if (std::holds_alternative<smtp::AbandonBody>(action)) {
      mail_.message.clear();
    } else if (auto* store = std::get_if<smtp::AskStore>(&action)) {
      session_.on_stored(keep(store->envelope), clock_.now());
    }
    return true;
  }

  smtp::Reply keep(const mail::Envelope& envelope) {
    mail_.sender = envelope.return_path ? envelope.return_path->text() : "";
    for (const auto& recipient : envelope.recipients)
      mail_.recipients.push_back(recipient.address.text());
    if (const auto left = leave_(std::exchange(mail_, {})); !left)
      return make_reply(451, "4.3.0", left.error().what);
    return make_reply(250, "2.0.0", "left for the server");
  }

  int from_;
  int to_;
  std::function<Result<void>(queue::DroppedMail)> leave_;
  SystemClock clock_;
  smtp::ServerSession session_;
  queue::DroppedMail mail_;
};

}  // namespace

void run_sendmail_dialogue(int from,
                           int to,
                           std::function<Result<void>(queue::DroppedMail)> leave) {
  Dialogue(from, to, std::move(leave)).run();
}

}  // namespace tapal::app
