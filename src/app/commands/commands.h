// The commands of `tapal`: each file declares its own below `tapal`.
#pragma once

#include "app/cli/command.h"

namespace tapal::app {

void declare_address(const Command& tapal);
void declare_arc(const Command& tapal);
void declare_alias(const Command& tapal);
void declare_bounce(const Command& tapal);
void declare_cert(const Command& tapal);
void declare_backup(const Command& tapal);
void declare_config(const Command& tapal);
void declare_demo(const Command& tapal);
void declare_dkim(const Command& tapal);
void declare_dmarc(const Command& tapal);
void declare_dns(const Command& tapal);
void declare_doctor(const Command& tapal);
void declare_forward(const Command& tapal);
void declare_filter(const Command& tapal);
void declare_gmail(const Command& tapal);
void declare_import(const Command& tapal);
void declare_init(const Command& tapal);
void declare_restore(const Command& tapal);
void declare_providers(const Command& tapal);
void declare_manual(const Command& tapal);
void declare_queue(const Command& tapal);
void declare_send(const Command& tapal);
void declare_sendmail(const Command& tapal);
void declare_serve(const Command& tapal);
void declare_sources(const Command& tapal);
void declare_spf(const Command& tapal);
void declare_srs(const Command& tapal);
void declare_status(const Command& tapal);
void declare_up(const Command& tapal);
void declare_user(const Command& tapal);

// Below `tapal backup`.
void declare_backup_archive(const Command& backup);

// Below `tapal queue`.
void declare_queue_orders(const Command& queue);
void declare_queue_rule(const Command& queue);

// Below `tapal dns` and `tapal dmarc`.
void declare_dns_plan(const Command& dns);
void declare_dns_apply(const Command& dns);
void declare_dmarc_advance(const Command& dmarc);

// argv to one of them; its exit code.
int run_command_line(int argc, const char* const* argv);

}  // namespace tapal::app
