package Caportal::Test::Tls;

# One request on a TLS connection of which everything can be said: protocol, server name, the session that it resumes.

use v5.36;
use Caportal::Files qw(read_file write_file);
use Exporter 'import';
use JSON::PP ();

our @EXPORT_OK = qw(tls_request);

# What came back: {status, json, resumed, protocol}; status 0: no answer. Options: port, ca, folder (for files); sni,
# host (the Host, sni by default); tls (1.2 or 1.3); cert and key; save and resume (names of sessions); method, path,
# accept, json.
sub tls_request (%option) {
    my $folder = $option{folder};
    my $body   = defined $option{json} ? JSON::PP->new->utf8->encode($option{json}) : '';
    my $host   = $option{host} // $option{sni};
    write_file("$folder/tls.in", join("\r\n", ($option{method} // ($body ne '' ? 'POST' : 'GET'))
        . " $option{path} HTTP/1.1", "Host: $host:$option{port}", "Origin: https://$host:$option{port}",
        'Accept: ' . ($option{accept} // 'application/json'), 'Content-Type: application/json', 'Content-Length: ' . length $body,
        'Connection: close', '', '') . $body);

    # Unbuffered: what it says of the session would otherwise come out in the middle of the answer.
    my @words = (
        qw(timeout 10 stdbuf -o0 openssl s_client -ign_eof -connect), "localhost:$option{port}", '-servername', $option{sni},
        '-CAfile', $option{ca}, ($option{tls} // '1.3') eq '1.2' ? '-tls1_2' : '-tls1_3',
        ($option{cert} ? ('-cert', $option{cert}, '-key', $option{key}) : ()),
        ($option{save} ? ('-sess_out', "$folder/$option{save}.session") : ()),
        ($option{resume} ? ('-sess_in', "$folder/$option{resume}.session") : ()),
    );
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<',  "$folder/tls.in";
        open STDOUT, '>',  "$folder/tls.out";
        open STDERR, '>&', \*STDOUT;
        exec { $words[0] } @words or POSIX::_exit(127);
    }
    waitpid $pid, 0;

    my $said = read_file("$folder/tls.out");
    my ($how, $protocol) = $said =~ /^(New|Reused), (TLSv[\d.]+)/m;
    my ($status) = $said =~ m{HTTP/1\.1 (\d{3})};
    my ($json)   = $said =~ /^(\{.*\})/m;
    return {
        status => $status // 0, resumed => ($how // '') eq 'Reused' ? 1 : 0, protocol => $protocol, text => $said,
        json => scalar eval { JSON::PP->new->utf8->decode($json) } // {},
    };
}

1;
