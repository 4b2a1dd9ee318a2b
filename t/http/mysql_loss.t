use v5.36;
use warnings FATAL => 'all';

# The database dead, stopped, hanging: 503 in time, and when it is back the next request succeeds, on every thread.

use Caportal::Sample qw(new_phone new_png);
use Caportal::Test;
use Caportal::Test::Edge qw(is_refused raw settled);
use Test::More;
use Time::HiRes qw(sleep time);

my $portal = Caportal::Test->start(own_database => 1, edit => sub ($text) {
    $text =~ s{password=3}{password=0};
    return $text =~ s{^(\s*caportal_database_timeout)[^;]*}{$1 1s 2s}mr;
});
my $journey = $portal->order_until('draft');
my $client  = $journey->applicant;
my $order   = '/api/orders/' . $journey->no;
my $mariadb = $portal->stack->service('mariadb');
my $png     = new_png();

sub ask ($bytes) {
    my $connection = raw($portal, $client);
    return $connection->ask($bytes->($connection), 10);
}

my %asks = (
    'a list'    => sub ($c) { $c->head(GET => '/api/orders') },
    'an order'  => sub ($c) { $c->head(GET => $order) },
    'a change'  => sub ($c) { $c->json(PATCH => $order, {email => 'a@example.com'}) },
    'an upload' => sub ($c) { $c->whole(PUT => "$order/materials/licence", $png, 'Content-Type' => 'image/png') },
    'a sign-in' => sub ($c) { $c->json(POST => '/api/sessions',
        {method => 'password', login => new_phone(), password => 'wrong one'}) },
    'health'    => sub ($c) { $c->head(GET => '/healthz') },
);
my %well = ((map { $_ => 200 } keys %asks), 'an upload' => 201, 'a sign-in' => 401);

sub is_away ($title, $seconds) {
    return subtest $title => sub {
        for my $name (sort keys %asks) {
            my $answer = ask($asks{$name});
            is_refused($answer, $name);
            like $answer->{body}, qr/"code":"database_unavailable"/, 'because of the database';
            unlike $answer->{body}, qr/mysql|mariadb|sock/i, 'of which nothing more is told';
            cmp_ok $answer->{seconds}, '<', $seconds, 'in time';
        }
        is ask(sub ($c) { $c->head(GET => '/api/catalog') })->{status}, 200, 'what needs no database is served';
        is ask(sub ($c) { $c->head(GET => '/documents/none') })->{status}, 404, 'the session still guards';
    };
}

# Every thread of both workers, among them those whose connection is dead.
sub is_back ($title) {
    return subtest $title => sub {
        my %status;
        for my $name (sort keys %asks) {
            my @connections = map { raw($portal, $client) } 1 .. 8;
            $_->send($asks{$name}->($_)) for @connections;
            $status{$name}{ ($_->answer(10) // {status => 'none'})->{status} }++ for @connections;
        }
        is_deeply $status{$_}, {$well{$_} => 8}, $_ for sort keys %asks;
    };
}

is_back('at first');

$portal->kill('mariadb');
is_away('killed', 1);
$portal->restart('mariadb');
is_back('started again');

$mariadb->process->stop;
is_away('stopped', 1);
$portal->restart('mariadb');
is_back('started again');

# All connections closed while they were idle; nobody notices.
$mariadb->sql(join '', map {"KILL $_;"} grep {/\S/} split /\n/,
    $mariadb->sql("SELECT id FROM information_schema.processlist WHERE user = 'caportal_web'"));
is_back('connections closed by the server');

$mariadb->process->signal('STOP');
is_away('hanging', 5);
$mariadb->process->signal('CONT');
is_back('awake again');

subtest 'killed while it works' => sub {
    my $before = $client->get($order)->json->{email};
    my (@statuses, $killed);
    for my $number (1 .. 60) {
        my @connections = map { raw($portal, $client) } 1 .. 4;
        $_->send($_->json(PATCH => $order, {email => "n$number\@example.com"})) for @connections;
        $portal->kill('mariadb') if $number == 20;
        $portal->restart('mariadb') if $number == 40;
        push @statuses, map { ($_->answer(10) // {status => 'none'})->{status} } @connections;
    }
    is_deeply [grep { !/\A(?:200|503)\z/ } @statuses], [], 'each request is done or refused';
    is_deeply [@statuses[-40 .. -1]], [(200) x 40], 'and done once it is back';
    is $client->get($order)->json->{email}, 'n60@example.com', 'the last change stands';
};

settled($portal);

done_testing;
