// What a program's exit code, or a web server's status, says about mail that was handed to it.
#pragma once

#include <string_view>

#include "rules/bounce/classify.h"

namespace tapal::bounce {

// How a program that mail was piped into ended, by sysexits.h:
//
//   0                   delivered
//   65 EX_DATAERR       permanent 5.6.0
//   67 EX_NOUSER        permanent 5.1.1
//   68 EX_NOHOST        permanent 5.1.2
//   69 EX_UNAVAILABLE   permanent 5.3.0   what content filters end with to refuse
//   76 EX_PROTOCOL      permanent 5.5.0
//   77 EX_NOPERM        permanent 5.7.0   what mailers such as Dovecot's end with at a full quota
//   100                 permanent 5.3.0   qmail's
//   71 EX_OSERR, 74 EX_IOERR, 75 EX_TEMPFAIL                                  temporary 4.3.0
//   73 EX_CANTCREAT                                                           temporary 4.2.0
//   64 EX_USAGE, 72 EX_OSFILE, 78 EX_CONFIG, 126 and 127 (shells: cannot run) temporary 4.3.5
//   all else, 128 + signal of shells too                                      temporary 4.3.0
//
// A non-zero code with a last line that begins "4.x.x" or "5.x.x" (RFC 3463) means what that says,
// as Postfix has it. Postfix and Exim also give up at codes that nobody defined, and where the
// set-up is wrong; here a slip in a script costs no mail: it waits until it is mended or too old.
Judgement classify_exit(int exit_code, std::string_view last_line);

// 2xx is delivered. 408, 425 and 429 are temporary, the other 4xx permanent, all else is temporary:
// redirects are not followed.
Judgement classify_http_status(int status);

}  // namespace tapal::bounce
