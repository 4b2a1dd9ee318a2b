package Caportal::Test::Curl;

# A client that speaks HTTP/1.1 or HTTP/2 and sends exactly what it is told, by the curl command.

use v5.36;
use Caportal::Files qw(read_file);
use Exporter 'import';
use JSON::PP ();

our @EXPORT_OK = qw(curl);

# The answer as {status, version ("1.1", "2"), headers (lower case, lists), body, json}. Status 0: none came.
# Options: ca; http (1.1 or 2); cert and key; method; headers [lines]; json or body; folder (for the answer); words (more
# of the command's own).
sub curl ($url, %option) {
    my ($head, $body) = map {"$option{folder}/curl.$_"} qw(head body);
    my @data = defined $option{json} ? JSON::PP->new->utf8->canonical->encode($option{json})
        : defined $option{body} ? $option{body} : ();
    my $method = $option{method} // (@data ? 'POST' : 'GET');
    my @words  = (
        qw(curl --silent --max-time 10 --path-as-is), ($option{http} // '1.1') eq '2' ? '--http2' : '--http1.1',
        ($option{ca} ? ('--cacert', $option{ca}) : ()),
        ($option{cert} ? ('--cert', $option{cert}, '--key', $option{key}) : ()),
        ($method eq 'HEAD' ? '--head' : ('--request', $method)),
        (map { ('--header', $_) } @{ $option{headers} // [] }),
        (defined $option{json} ? ('--header', 'Content-Type: application/json') : ()),
        (map { ('--data-binary', $_) } @data), @{ $option{words} // [] }, '--dump-header', $head, '--output', $body, $url,
    );

    unlink $head, $body;
    system { $words[0] } @words;
    return _answer(-e $head ? read_file($head) : '', -e $body ? read_file($body) : '');
}

sub _answer ($head, $body) {
    my @blocks = grep { !m{\AHTTP/[\d.]+ 1\d\d} } split /\r\n\r\n/, $head;
    my ($first, @lines) = split /\r\n/, $blocks[-1] // '';
    my ($version, $status) = ($first // '') =~ m{\AHTTP/([\d.]+) (\d{3})};

    my %header;
    for my $line (@lines) {
        push @{ $header{ lc $1 } }, $2 if $line =~ /\A([^:]+):\s*(.*)\z/;
    }
    return {
        status => $status // 0, version => $version, headers => \%header, body => $body,
        json => scalar eval { JSON::PP->new->utf8->decode($body) },
    };
}

1;
