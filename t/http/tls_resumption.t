use v5.36;
use utf8;
use warnings FATAL => 'all';

# TLS sessions that are resumed, on a server whose operator allows it, beside servers of other names with other rules on
# the same port: a resumed session says who was there at its handshake, not that the certificate is good now, and it is
# worth nothing under another name (the class of CVE-2025-23419).

use Caportal::Files qw(folder);
use Caportal::Test;
use Caportal::Test::Edge qw(settled);
use Caportal::Test::Leaf qw(leaf authority bind_row);
use Caportal::Test::Tls qw(tls_request);
use File::Temp qw(tempdir);
use Test::More;

my $folder  = tempdir(CLEANUP => 1);
my $partner = authority("$folder/partner", '/C=CN/CN=Partner');

# The server for certificates keeps sessions and gives tickets; two more share its port.
sub edit ($text) {
    my ($port) = $text =~ /^    server \{\s+listen \d+.*?^    server \{\s+listen (\d+)/ms;
    my $keeps  = 'ssl_session_cache shared:certificates:1m; ssl_session_tickets on;';
    my $others = <<"END";
    server {
        listen $port ssl;
        server_name partner.test;
        ssl_client_certificate $partner.pem;
        ssl_verify_client on;
        $keeps
        location / { return 200 '{"server":"partner"}'; }
    }
    server {
        listen $port ssl;
        server_name open.test;
        $keeps
        location / { return 200 '{"server":"open"}'; }
    }
END
    $text =~ s/ssl_session_cache +off;/$keeps/ or die 'the server for certificates has changed';
    return $text =~ s/(    include egress\.conf;)/$others$1/r;
}

my $portal  = Caportal::Test->start(edit => \&edit);
my $issuing = $portal->stack->{authority}->file('issuing.pem') =~ s/\.pem\z//r;
my $journey = $portal->order_until('issued');
$journey->step('download');

sub ask (%option) {
    return tls_request(folder => $folder, ca => $portal->addresses->{server_ca},
        port => $portal->addresses->{certificate} =~ s/.*://r, sni => 'localhost', %option);
}

sub sign_in (%option) { return ask(path => '/api/sessions', json => {method => 'certificate'}, %option) }

sub bound ($name, $issuer) {
    my %certificate = leaf("$folder/$name", issuer => $issuer);
    return (bind_row($portal, $certificate{cert}, $journey->{serial}), %certificate);
}

for my $tls (qw(1.2 1.3)) {
    subtest "TLS $tls: meanwhile" => sub {
        my %rows = (
            certificate_revoked    => q{UPDATE certificate SET state = 'revoked' WHERE id = ?},
            certificate_superseded => q{UPDATE certificate SET state = 'superseded' WHERE id = ?},
            certificate_expired    => q{UPDATE certificate SET not_after = 1 WHERE id = ?},
        );
        for my $code (sort keys %rows) {
            my ($id, %certificate) = bound("$code-$tls", $issuing);
            my $first = sign_in(tls => $tls, %certificate, save => 'one');
            is $first->{status}, 201, 'signs in' or diag $first->{text};
            my $again = sign_in(tls => $tls, resume => 'one');
            is_deeply [@$again{qw(status resumed)}], [201, 1], 'and again, on the session resumed' or diag $again->{text};

            $portal->change($rows{$code}, $id);
            my $late = sign_in(tls => $tls, resume => 'one');
            is $late->{resumed}, 1, 'resumed once more';
            is $late->{json}{code}, $code, 'and refused' or diag $late->{text};
        }
    };

    # The partner's certificate even has a row here, as if the database could be fooled.
    subtest "TLS $tls: under another name" => sub {
        my (undef, %foreign) = bound("foreign-$tls", $partner);
        my $there = ask(path => '/', sni => 'partner.test', tls => $tls, %foreign, save => 'partner');
        is_deeply [$there->{status}, $there->{json}{server}], [200, 'partner'], "the partner's certificate is good there";
        isnt sign_in(tls => $tls, resume => 'partner')->{status}, 201, 'its session signs nobody in here';
        isnt sign_in(tls => $tls, %foreign)->{status}, 201, 'nor does the certificate';

        my $open = ask(path => '/', sni => 'open.test', tls => $tls, save => 'open');
        is $open->{json}{server}, 'open', 'a server that asks for none';
        isnt sign_in(tls => $tls, resume => 'open')->{status}, 201, 'its session neither';

        my (undef, %own) = bound("own-$tls", $issuing);
        is sign_in(tls => $tls, %own, save => 'own')->{status}, 201, 'a session of ours';
        isnt ask(path => '/', sni => 'partner.test', tls => $tls, resume => 'own')->{json}{server} // '', 'partner',
            'is worth nothing at the partner';
    };

    subtest "TLS $tls: one name at the handshake, another in the request" => sub {
        my (undef, %foreign) = bound("mixed-$tls", $partner);
        my $mixed = ask(path => '/api/sessions', json => {method => 'certificate'}, sni => 'partner.test',
            host => 'localhost', tls => $tls, %foreign);
        isnt $mixed->{status}, 201, "the partner's handshake is none for us: $mixed->{status}";
        my (undef, %own) = bound("mixed-own-$tls", $issuing);
        my $open = ask(path => '/api/sessions', json => {method => 'certificate'}, sni => 'open.test',
            host => 'localhost', tls => $tls, %own);
        isnt $open->{status}, 201, "nor that of a server that did not ask: $open->{status}";
        my $reverse = ask(path => '/', sni => 'localhost', host => 'partner.test', tls => $tls, %own);
        isnt $reverse->{json}{server} // '', 'partner', "nor ours for the partner: $reverse->{status}";
    };
}

settled($portal);
done_testing;
