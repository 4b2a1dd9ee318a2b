use v5.36;
use utf8;
use warnings FATAL => 'all';

# The sessions of an account as its holder sees them: where and when each was begun, ending one or all. Nobody sees or
# ends another's.

use Caportal::Test;
use Caportal::Test::Walk qw(is_problem state_of is_unchanged);
use Mojo::JSON qw(from_json);
use Test::More;
use Time::HiRes qw(sleep);

my $portal = Caportal::Test->start(edit => sub ($text) {
    my ($region, $named) = ('geo $region { default ""; 127.0.0.1 "呼和浩特\n"; }', 'caportal_place "地点：$region";');
    utf8::encode($_) for $region, $named;
    return $text =~ s/^( +)caportal_place .*/$1$region/mr =~ s{(location /api/ +\{)}{$1 $named}r;
});
my %agents = (
    'Chrome, Windows' => 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)'
        . ' Chrome/120.0.0.0 Safari/537.36',
    '微信, Android' => 'Mozilla/5.0 (Linux; Android 13; V2) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0'
        . ' Chrome/111 Mobile Safari/537.36 XWEB/1 MicroMessenger/8.0.44',
    'unknown' => 'x' x 2000 . ' 2 1 1 9999999999999 - sms',
);

# Signs in as the journey's phone does, with that User-Agent.
sub browser ($journey, $agent, $server = 'portal') {
    my $client = $portal->client($server);
    my $again  = $portal->journey(map { $_ => $journey->{$_} } qw(person phone));
    $portal->forget_limits;
    $again->step('sms_code');
    my $answer = $client->post('/api/sessions', {method => 'sms', phone => $again->{phone}, code => $again->code},
        headers => {'User-Agent' => $agent});
    is $answer->code, 201, 'signed in' or diag $answer->body;
    return $client;
}

sub sessions ($client) { return @{ $client->get('/api/sessions')->json->{sessions} } }
sub current ($client)  { return $client->get('/api/session')->json->{session} }

my ($client, $journey) = $portal->sign_in;
my $stranger = $portal->sign_in;
my %browsers = map { sleep 0.01; $_ => browser($journey, $agents{$_}) } 'unknown', '微信, Android', 'Chrome, Windows';

subtest 'the list' => sub {
    my @list = sessions($client);
    is_deeply [map { $_->{device} } @list], ['Chrome, Windows', '微信, Android', 'unknown', 'unknown'],
        'newest first, each with its device';
    is_deeply [map { $_->{current} ? 1 : 0 } @list], [0, 0, 0, 1], 'the own one is marked';
    is_deeply [grep { $_->{method} ne 'sms' } @list], [], 'how each was begun';
    is_deeply [grep { $_->{place} ne '地点：呼和浩特' } @list], [], 'where, in words of the operator that are text';
    my $own = current($client);
    is_deeply $own, {%{ $list[3] }, map { $_ => $own->{$_} } qw(seen expires)},
        'GET /api/session shows the same of the current one';
    unlike join('', map { $_->cookie } $client, values %browsers), qr/\Q$_->{id}\E/, 'an id is no part of a token'
        for @list;
    is_deeply [map { $_->{device} } sessions($stranger)], ['unknown'], "another account sees its own";

    my $elsewhere = browser($journey, $agents{'Chrome, Windows'}, 'certificate');
    is current($elsewhere)->{place}, '127.0.0.*', 'where no place is named, the network';
    is $elsewhere->delete('/api/session')->code, 204, 'signed out';
    is scalar(sessions($client)), 4, 'is off the list';
};

subtest 'what is recorded of a sign-in' => sub {
    my $rows = $portal->rows("SELECT detail FROM audit WHERE action = 'session.create' AND object_id = ? ORDER BY id",
        $client->get('/api/session')->json->{account}{id});
    is_deeply [map { from_json($_->{detail}) } @$rows[1 .. 3]],
        [map { +{method => 'sms', device => s/, /,/r} } 'unknown', '微信, Android', 'Chrome, Windows'],
        'how, and on what device';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE detail LIKE '%xxxx%'"), 0, 'nothing of the header';
};

subtest 'ending one' => sub {
    my ($chrome) = grep { $_->{device} eq 'Chrome, Windows' } sessions($client);
    my $before = state_of($portal);
    is_problem($stranger->delete("/api/sessions/$chrome->{id}"), 404, 'not_found', "another's is not there");
    is_problem($client->delete('/api/sessions/' . ($chrome->{id} =~ s/(.)\z/$1 eq 'A' ? 'B' : 'A'/er)), 404,
        'not_found', 'nor one that is none');
    is_problem($client->delete("/api/sessions/$chrome->{id}", origin => 'https://evil.example'), 403, 'bad_origin',
        'nor at the wish of another page');
    is $browsers{'Chrome, Windows'}->get('/api/session')->code, 200, 'it lives';
    is_unchanged($portal, $before, 'nothing changed');

    my $answer = $client->delete("/api/sessions/$chrome->{id}");
    is $answer->code, 204, 'ended';
    is $answer->headers->set_cookie, undef, 'the own cookie stays';
    is $browsers{'Chrome, Windows'}->get('/api/session')->code, 401, 'it is refused at once';
    is $client->get('/api/session')->code, 200, 'the own session goes on';
    is $browsers{'微信, Android'}->get('/api/session')->code, 200, 'and the others';
    is_problem($client->delete("/api/sessions/$chrome->{id}"), 404, 'not_found', 'a second time it is not there');
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'session.end' AND detail LIKE CONCAT('%', ?, '%')",
        $chrome->{id}), 1, 'recorded';

    my $own = current($browsers{unknown})->{id};
    $answer = $browsers{unknown}->delete("/api/sessions/$own");
    is $answer->code, 204, 'the own one';
    like $answer->headers->set_cookie, qr/\A__Host-caportal=; .*Max-Age=0/, 'takes the cookie away';
    is $browsers{unknown}->get('/api/session')->code, 401, 'and is the end of it';
};

subtest 'ending all' => sub {
    is $client->delete('/api/sessions')->code, 204, 'ended';
    is $_->get('/api/session')->code, 401, 'refused' for values %browsers;
    is $stranger->get('/api/session')->code, 200, "another's is not touched";
};

# Beyond twenty those go that have ended, then the oldest; the newest never does.
subtest 'more than an account keeps' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $key = 'caportal:sessions:' . $client->get('/api/session')->json->{account}{id};
    my $now = time * 1000;
    $portal->redis('HSET', $key, map {
        my ($since, $seen) = $_ == 5 ? ($now - 3_600_000) x 2 : ($now - $_ * 1000, $now);
        ("session $_", "2 $since $seen 1 - sms 0 0 unknown 127.0.0.*")
    } 1 .. 19);

    my $left = sub {
        return join ' ', grep { $portal->redis_value('HEXISTS', $key, "session $_") } 1 .. 19;
    };
    my @newest = browser($journey, 'x');
    is $left->(), '1 2 3 4 6 7 8 9 10 11 12 13 14 15 16 17 18 19', 'the one that has ended goes first';
    push @newest, map { browser($journey, 'x') } 1 .. 2;
    is $left->(), '1 2 3 4 6 7 8 9 10 11 12 13 14 15 16 17', 'then the oldest';
    is $portal->redis_value('HLEN', $key), 20, 'twenty are left';
    is_deeply [map { $_->get('/api/session')->code } $client, @newest], [(200) x 4], 'the newest among them';
    my $ttl = $portal->redis_value('PTTL', $key);
    cmp_ok $ttl, '>', 1_700_000, 'for as long as the last one lives';
};

done_testing;
