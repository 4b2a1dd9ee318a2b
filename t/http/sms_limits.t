use v5.36;
use utf8;
use warnings FATAL => 'all';

# How many codes are sent by text message: to one number, at one client's request, to a network, in all, and to a number
# segment that sends none back; what of it outlives Redis. Time passes where a test moves rows and keys.

use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Curl qw(curl);
use Caportal::Test::Walk qw(is_problem at_once);
use Mojo::JSON qw(decode_json);
use Test::More;

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s{(caportal_sms_limits +)[^;]*;}
        {$1address_hour=4 address_day=6 network_hour=9 segment_codes=5 segment_return=20;}r;
});
my $visitor = $portal->client;
my $from    = 10;

# A code for a number, asked for from an address: the answer as Caportal::Test::Curl has it.
sub send_code ($phone, $address = '127.0.7.' . $from++) {
    $portal->forget_keys('sms-minute:*');
    return curl($portal->addresses->{portal} . '/api/sms-codes', ca => $portal->addresses->{server_ca},
        folder => $portal->home, json => {phone => $phone, purpose => 'login'},
        headers => ["Origin: $portal->{addresses}{portal}"], words => ['--interface', $address]);
}

sub is_refused ($answer, $title, $from_s, $to_s) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $wait = $answer->{headers}{'retry-after'}[0] // 0;
    is "$answer->{status} " . ($answer->{json}{code} // ''), '429 rate_limited', "$title: refused";
    ok $wait >= $from_s && $wait <= $to_s, "... for $wait s";
    return;
}

# Everything that was sent was sent so much earlier; Redis has been emptied meanwhile, or has not.
sub pass_time ($seconds) {
    $portal->change('UPDATE sms_code SET created_at = created_at - ?', $seconds * 1000);
    return;
}

sub code_for ($phone) {
    return $portal->sandbox(get => '/inbox', form => {phone => $phone})->json->[0]{params}{code};
}

sub begin_again () {
    $portal->redis('FLUSHALL');
    $portal->change('DELETE FROM sms_code');
    return;
}

sub events () { return $visitor->get('/status')->json->{events} }

subtest 'one number' => sub {
    my $phone = new_phone();
    my $first = send_code($phone)->{json};
    is_deeply [@$first{qw(expires_in tries codes_left_today)}], [300, 5, 9], 'nine more are left today';
    ok $first->{resend_after} > 55 && $first->{resend_after} <= 60, 'the next in a minute';

    my @more = map { send_code($phone) } 1 .. 4;
    is_deeply [map { $_->{status} } @more], [(202) x 4], 'five in an hour';
    is $more[-1]{json}{codes_left_today}, 5, 'five are left';
    cmp_ok $more[-1]{json}{resend_after}, '>', 3500, 'but not within the hour';
    is_refused(send_code($phone), 'a sixth', 3500, 3601);
    $portal->redis('FLUSHALL');
    is_refused(send_code($phone), 'and when Redis has forgotten', 3500, 3601);

    pass_time(3600);
    $portal->redis('FLUSHALL');
    @more = map { send_code($phone) } 1 .. 5;
    is_deeply [map { $_->{status} } @more], [(202) x 5], 'five in the next';
    is $more[-1]{json}{codes_left_today}, 0, 'none is left';

    pass_time(3600);
    is_refused(send_code($phone), 'an eleventh that day', 22 * 3600, 23 * 3600 + 1);
    $portal->redis('FLUSHALL');
    is_refused(send_code($phone), 'and when Redis has forgotten', 21 * 3600, 22 * 3600 + 1);

    pass_time(20 * 3600);
    $portal->redis('FLUSHALL');
    is_refused(send_code($phone), 'until a day has passed', 3600, 2 * 3600 + 1);
    pass_time(2 * 3600 + 10);
    $portal->redis('FLUSHALL');
    is send_code($phone)->{status}, 202, 'then they leave one by one';
};

subtest 'one address' => sub {
    begin_again();
    is_deeply [map { send_code(new_phone(), '127.0.8.1')->{status} } 1 .. 4], [(202) x 4], 'four in an hour';
    is_refused(send_code(new_phone(), '127.0.8.1'), 'a fifth', 3500, 3601);
    $portal->redis('FLUSHALL');
    is_refused(send_code(new_phone(), '127.0.8.1'), 'and when Redis has forgotten', 3500, 3601);
    is send_code(new_phone(), '127.0.8.2')->{status}, 202, "another's are another's";

    pass_time(3700);
    $portal->redis('FLUSHALL');
    is_deeply [map { send_code(new_phone(), '127.0.8.1')->{status} } 1 .. 3], [202, 202, 429], 'six a day';
    $portal->redis('FLUSHALL');
    is_refused(send_code(new_phone(), '127.0.8.1'), 'and when Redis has forgotten', 80_000, 86_401);
};

subtest 'one network' => sub {
    begin_again();
    is_deeply [map { send_code(new_phone(), "127.0.9.$_")->{status} } 1 .. 9], [(202) x 9], 'nine in an hour';
    is_refused(send_code(new_phone(), '127.0.9.200'), 'a tenth', 3500, 3601);
    $portal->redis('FLUSHALL');
    is_refused(send_code(new_phone(), '127.0.9.201'), 'and when Redis has forgotten', 3500, 3601);
    is send_code(new_phone(), '127.0.10.1')->{status}, 202, "another network's";
};

subtest 'many at once after Redis has forgotten' => sub {
    begin_again();
    is send_code(new_phone(), '127.0.0.1')->{status}, 202, 'one is sent';
    $portal->redis('FLUSHALL');
    my @answers = at_once(map { [$visitor, POST => '/api/sms-codes', json => {phone => new_phone(),
        purpose => 'login'}] } 1 .. 20);
    is scalar(grep { $_->code == 202 } @answers), 3, 'three of twenty, for four are the most';
    is $portal->value('SELECT COUNT(*) FROM sms_code'), 4, 'four rows';
};

subtest 'all together' => sub {
    begin_again();
    my $before = events();
    $portal->redis('SET', 'caportal:sms-budget:all', 600, 'EX', 50);
    my $answer = send_code(new_phone());
    is "$answer->{status} $answer->{json}{code}", '503 busy', 'beyond the budget';
    ok $answer->{headers}{'retry-after'}[0] <= 50, 'until the minute is over';
    send_code(new_phone());
    my @told = $portal->logs =~ /\[error\].*the budget of 600 codes a minute is used up/g;
    is scalar @told, 1, 'the log tells it once';
    is events()->{sms_over_budget} - $before->{sms_over_budget}, 2, 'the counters each';
    is $portal->value('SELECT COUNT(*) FROM sms_code'), 0, 'none was sent';
};

subtest 'a number segment that sends none back' => sub {
    begin_again();
    my $row = sub ($segment, $age_s, $returned) {
        $portal->change('INSERT INTO sms_code (phone_index, segment, purpose, address_index, network, created_at, '
            . 'redeemed_at) VALUES (?, ?, "login", ?, "192.0.2.0/24", ?, ?)', 'x' x 32, $segment, 'y' x 32,
            (time - $age_s) * 1000, $returned ? time * 1000 : undef);
    };
    $row->('1390000', 100, 0) for 1 .. 30;
    is send_code('13900001234')->{status}, 202, 'what was sent just now may come back yet';

    $row->('1390001', 600, 0) for 1 .. 4;
    is send_code('13900011234')->{status}, 202, 'four say nothing';
    $row->('1390001', 700, 0);
    is_refused(send_code('13900011235'), 'five do', 2800, 2902);
    is send_code('13900021234')->{status}, 202, 'about no other segment';
    my @told = $portal->logs =~ /\[error\].*begin with 1390001 are stopped: 0 of the last 5 came back/g;
    is scalar @told, 1, 'the log tells it';
    is_refused(send_code('13900011235'), 'again', 2800, 2902);
    is scalar(my @again = $portal->logs =~ /begin with 1390001 are stopped/g), 1, 'once';
    cmp_ok events()->{sms_stopped}, '>=', 2, 'the counters each';

    $row->('1390001', 700, 1);
    is_refused(send_code('13900011235'), 'one of six came back', 2800, 2902);
    $row->('1390001', 700, 1);
    is send_code('13900011235')->{status}, 202, 'two of seven did';
    pass_time(3600);
    $row->('1390001', 600, 0) for 1 .. 4;
    is send_code('13900011236')->{status}, 202, 'what was long ago says nothing';

    $row->('1390003', 600, 0) for 1 .. 20;
    my $status = decode_json($portal->ctl('status'));
    is_deeply $status->{sms_segments_that_return_little}, {1390003 => 20}, 'caportalctl status names it';
    is $status->{sms_codes_of_a_day}{returned}, 2, 'and counts what came back';
};

subtest 'a code that came back' => sub {
    begin_again();
    my $phone = new_phone();
    send_code($phone);
    send_code($phone);
    my $before = events();
    is $visitor->post('/api/sessions', {method => 'sms', phone => $phone, code => code_for($phone)})->code, 201,
        'signs in';
    is $portal->redis_value('LLEN', 'caportal:sms-returned:all'), 1, 'is noted';
    send_code(new_phone());
    is $portal->redis_value('EXISTS', 'caportal:sms-returned:all'), 0, 'the next code takes the note';
    is_deeply [map { $_->{done} } @{ $portal->rows(
        'SELECT redeemed_at IS NOT NULL AS done FROM sms_code ORDER BY id') }], [0, 1, 0],
        'and marks the newest row of the number';
    is events()->{sms_returned} - $before->{sms_returned}, 1, 'and counted';
};

subtest 'what rows tell' => sub {
    begin_again();
    my $phone = new_phone();
    send_code($phone, '127.0.11.5');
    my ($row) = @{ $portal->rows('SELECT * FROM sms_code') };
    is_deeply [@$row{qw(segment network purpose)}], [substr($phone, 0, 7), '127.0.11.0/24', 'login'],
        'segment, network and purpose';
    my $all = join '|', map { $_ // '' } values %$row;
    unlike $all, qr/$phone|127\.0\.11\.5/, 'neither number nor address';
    my $keys = $portal->redis_value('EVAL', "return table.concat(redis.call('KEYS', '*'), ' ')", 0);
    like $keys, qr/127\.0\.11\.0\/24/, 'a network';
    unlike $keys, qr/$phone|127\.0\.11\.5/, "nor do Redis's keys";

    $portal->change('INSERT INTO sms_code (phone_index, segment, purpose, address_index, network, created_at) '
        . 'SELECT phone_index, segment, purpose, address_index, network, created_at - 3 * 86400000 FROM sms_code');
    send_code(new_phone());
    is $portal->value('SELECT COUNT(*) FROM sms_code'), 2, 'what is older than two days goes with the next';
};

subtest 'when it cannot be counted' => sub {
    begin_again();
    my $phone = new_phone();
    $portal->kill('redis');
    is_problem($visitor->post('/api/sms-codes', {phone => $phone, purpose => 'login'}), 503,
        'session_store_unavailable', 'without Redis');
    $portal->restart('redis');
    is_deeply $portal->sandbox(get => '/inbox', form => {phone => $phone})->json, [], 'none is sent';
    is $portal->value('SELECT COUNT(*) FROM sms_code'), 0, 'and none counted';
};

done_testing;
