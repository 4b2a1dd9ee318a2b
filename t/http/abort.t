use v5.36;
use warnings FATAL => 'all';

# Clients that go away: while the session is asked for, while the body arrives, while a thread works, while the answer
# goes out; politely or by reset. Two hundred of them at random moments leave a healthy portal and nothing behind.

use Caportal::Sample qw(new_bmp new_phone);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually raw settled workers);
use Test::More;
use Time::HiRes qw(sleep);

use constant ROUNDS => 200;

my $seed = $ENV{CAPORTAL_TEST_SEED} // time;
srand $seed;
note "CAPORTAL_TEST_SEED=$seed";

my $portal = Caportal::Test->start;
my $journey = $portal->order_until('draft');
my $client  = $journey->applicant;
my $order   = '/api/orders/' . $journey->no;
my $scan    = "$order/materials/licence";
my $bmp     = new_bmp(300, 200);
my @workers = workers($portal);

my @json = ('Content-Type' => 'application/json');
my @png  = ('Content-Type' => 'image/bmp');

sub part ($bytes) { return substr $bytes, 0, rand 1 + length $bytes }

sub code ($connection) {
    return $connection->json(POST => '/api/sms-codes', {phone => new_phone(), purpose => 'login'});
}

# What each kind of client sends before it goes, and how long it stays at most.
my %leaves = (
    'in the head'                   => sub ($c) { part($c->head(GET => $order)), 0 },
    'while the session is asked'    => sub ($c) { $c->head(GET => $order), 0.02 },
    'while the session is asked, at a guarded page' => sub ($c) { $c->head(GET => '/documents/x'), 0.02 },
    'while the body arrives'        => sub ($c) { part($c->json(PATCH => $order, {email => 'a@example.com'})), 0.02 },
    'while an upload arrives'       => sub ($c) { part($c->whole(PUT => $scan, $bmp, @png)), 0.02 },
    'while an upload is refused'    => sub ($c) { part($c->whole(PUT => $scan, 'x' x 90_000, @png)), 0.01 },
    'while an upload is stored'     => sub ($c) { $c->whole(PUT => $scan, $bmp, @png), 0.02 },
    'while a thread waits outside'  => sub ($c) { code($c), 0.25 },
    'while the answer goes out'     => sub ($c) { $c->head(GET => $scan) x 3, 0.02 },
    'after many requests at once'   => sub ($c) { $c->head(GET => $order) x 5 . part(code($c)), 0.02 },
);

my $slow = sub { $portal->sandbox(post => '/faults', json => {sms => {delay_ms => 200, times => 100_000}}) };

for my $redis ('quick', 'slow') {
    subtest "Redis is $redis" => sub {
        $slow->();
        for my $round (1 .. ROUNDS / 2) {
            my $kind = (sort keys %leaves)[rand keys %leaves];
            my $connection = raw($portal, $client);

            $portal->redis(CLIENT => PAUSE => 30) if $redis eq 'slow' && $round % 2;
            my ($bytes, $stay) = $leaves{$kind}->($connection);
            $connection->send($bytes);
            sleep rand $stay;
            rand > 0.3 ? $connection->reset : $connection->close;
        }
        ok eventually(sub { $client->get('/api/session')->code == 200 }), 'who stays is served';
    };
}

# HTTP/2: one connection's streams are reset together.
subtest 'HTTP/2' => sub {
    my $url = $portal->addresses->{portal};
    my @common = ('curl', '-s', '--no-progress-meter', '--http2', '--cacert',
        $portal->addresses->{server_ca}, '-H', "Origin: $url",
        '-b', '__Host-caportal=' . $client->cookie, '-o', '/dev/null', '-o', '/dev/null', '--parallel');
    for (1 .. 15) {
        my $most = 0.02 + rand 0.2;
        system @common, '-m', $most, '-H', 'Content-Type: application/json', '-d',
            '{"phone":"' . new_phone() . '","purpose":"login"}', "$url/api/sms-codes", "$url/api/sms-codes";
        system @common, '-m', $most, '-H', 'Content-Type: image/bmp', '--limit-rate', '200k', '-X', 'PUT',
            '--data-binary', '@' . file(), "$url$scan";
    }
    is $client->get('/api/session')->code, 200, 'who stays is served';
};

sub file () {
    state $path = Caportal::Files::write_file($portal->home . '/scan.bmp', $bmp);
    return $path;
}

$portal->sandbox(delete => '/faults');
is_deeply [workers($portal)], \@workers, 'no worker died';
settled($portal);

done_testing;
