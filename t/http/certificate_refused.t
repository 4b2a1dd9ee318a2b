use v5.36;
use utf8;
use warnings FATAL => 'all';

# An operator who has nginx refuse more: by lists of revoked certificates (ssl_crl), where what is listed is refused
# whatever its row says, and nobody is let in when a list is out of date; and whoever has no certificate
# (ssl_verify_client on). The portal says why either way.

use Caportal::Files qw(command folder write_file read_file);
use Caportal::Test;
use Caportal::Test::Edge qw(reloaded settled);
use Caportal::Test::Leaf qw(leaf bind_row serial_of);
use Caportal::Test::Tls qw(tls_request);
use Caportal::Test::Walk qw(is_problem);
use File::Temp qw(tempdir);
use Test::More;

my $folder = tempdir(CLEANUP => 1);
my $ca     = Caportal::Test->shared->authority;

# The lists of all authorities in one file; what they name; how many hours each is good, from a time in days.
sub write_lists ($from, $hours, @serials) {
    my $all = '';
    for my $name (qw(issuing root staff-ca)) {
        my $index = join '', $name ne 'issuing' ? ()
            : map {"R\t401231000000Z\t260101000000Z,keyCompromise\t" . uc($_) . "\tunknown\t/CN=x\n"} @serials;
        write_file("$folder/index",  $index);
        write_file("$folder/number", "01\n");
        write_file("$folder/conf",   "[ca]\ndefault_ca=c\n[c]\ndatabase=$folder/index\ncrlnumber=$folder/number\n"
            . "default_md=sha256\n");
        command('faketime', '-f', sprintf('%+dd', $from), qw(openssl ca -gencrl -config), "$folder/conf", '-keyfile',
            $ca->file("$name.key"), '-cert', $ca->file("$name.pem"), '-crlhours', $hours, '-out', "$folder/one");
        $all .= read_file("$folder/one");
    }
    return write_file("$folder/crl.pem", $all);
}

write_lists(0, 24);

# Beside the server for certificates one, on the same port, that lets in nobody without.
sub strict ($text) {
    my ($server) = grep {/ssl_verify_client/} $text =~ /^(    server \{\n.*?^    \}\n)/gms;
    return $server =~ s/server_name +localhost;/server_name strict.test;/r =~ s/(ssl_verify_client +)optional;/$1on;/r;
}

my $portal = Caportal::Test->start(edit => sub ($text) {
    my $strict = strict($text);
    return $text =~ s/(ssl_verify_client +optional;)/$1 ssl_crl $folder\/crl.pem;/r
        =~ s/(    include egress\.conf;)/$strict$1/r;
});
my $issuing = $ca->file('issuing.pem') =~ s/\.pem\z//r;
my $journey = $portal->order_until('issued');
$journey->step('download');

sub sign_in (%certificate) {
    return $portal->client('certificate', %certificate)->post('/api/sessions', {method => 'certificate'});
}

my %good   = (cert => $journey->{certificate}, key => "$journey->{folder}/holder.key");
my %listed = leaf("$folder/listed", issuer => $issuing);
bind_row($portal, $listed{cert}, $journey->{serial});

is sign_in(%good)->code, 201, 'a certificate on no list';
is sign_in(%listed)->code, 201, 'and another';

write_lists(0, 24, serial_of($listed{cert}));
ok reloaded($portal), 'a new list';
is sign_in(%good)->code, 201, 'goes on';
is_problem(sign_in(%listed), 401, 'certificate_revoked', 'is on the list, though its row is good');

write_lists(-3, 24);
ok reloaded($portal), 'a list that is out of date';
my $answer = sign_in(%good);
is_problem($answer, 503, 'certificate_status_unknown', 'nobody knows');
ok $answer->headers->header('Retry-After'), 'come again';
is_problem($portal->staff('reviewer')->get('/staff/api/session'), 503, 'certificate_status_unknown', 'nor of staff');
is_problem(sign_in(leaf("$folder/stranger")), 401, 'certificate_self_signed', 'a stranger is told what matters to him');

subtest 'a certificate is required' => sub {
    my $ask = sub (%option) {
        tls_request(folder => $folder, ca => $portal->addresses->{server_ca}, sni => 'strict.test',
            port => $portal->addresses->{certificate} =~ s/.*://r, path => '/api/sessions', %option);
    };
    my $none = $ask->(json => {method => 'certificate'});
    is_deeply [$none->{status}, $none->{json}{code}], [401, 'certificate_missing'], 'there is none';
    my $page = $ask->(path => '/', accept => 'text/html');
    is $page->{status}, 401, 'a browser';
    like $page->{text}, qr/<h1>[^<]+<.*certificate_missing/s, 'gets a page that says so';
    unlike $page->{text}, qr/No required SSL certificate/, 'in our words';
    my %stranger = leaf("$folder/another");
    is $ask->(json => {method => 'certificate'}, %stranger)->{json}{code}, 'certificate_self_signed', 'a wrong one';
    is $ask->(json => {method => 'certificate'}, %good)->{status}, 201, 'a good one';
};

settled($portal);
done_testing;
