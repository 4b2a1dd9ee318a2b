use v5.36;
use utf8;
use warnings FATAL => 'all';

# Signing in by scanning: a browser shows a code, a phone lets it in, the browser redeems that once. Who has
# photographed the code, guesses, comes late, comes twice, or is another account gets nothing.

use Barcode::ZBar;
use Caportal::Files qw(read_file);
use Caportal::Test;
use Caportal::Test::Walk qw(is_problem state_of is_unchanged at_once);
use MIME::Base64 qw(decode_base64);
use Mojo::JSON qw(encode_json from_json);
use Test::More;

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/(caportal_password threads)=2 max_queue=8/$1=4 max_queue=64/r;
});
my $desktop = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0';
my ($phone, $journey) = $portal->sign_in;
my $account  = $phone->get('/api/session')->json->{account}{id};
my $stranger = $portal->sign_in;

# A browser and the scan that it shows.
sub browser (%body) {
    my $client = $portal->client;
    my $answer = $client->post('/api/scans', \%body, headers => {'User-Agent' => $desktop});
    is $answer->code, 201, 'a code' or diag $answer->body;
    return {client => $client, %{ $answer->json }};
}

sub look ($client, $scan)    { return $client->get("/api/scans/$scan->{id}") }
sub approve ($client, $scan) { return $client->post("/api/scans/$scan->{id}/approve") }
sub refuse ($client, $scan)  { return $client->post("/api/scans/$scan->{id}/refuse") }

sub state_with ($scan, $secret = $scan->{secret}) {
    return $scan->{client}->post("/api/scans/$scan->{id}/state", {secret => $secret})->json->{state};
}

sub redeem ($scan, %change) {
    return $scan->{client}->post('/api/sessions', {method => 'scan', scan => $scan->{id}, secret => $scan->{secret},
        %change}, headers => {'User-Agent' => $desktop});
}

# A browser that the phone has let in.
sub approved ($by = $phone) {
    my $scan = browser();
    is look($by, $scan)->code, 200, 'looked at';
    is approve($by, $scan)->code, 200, 'approved';
    return $scan;
}

sub sessions_of ($client) { return scalar @{ $client->get('/api/sessions')->json->{sessions} } }

# What a reader of QR codes makes of the picture: its rectangles on a canvas, four pixels a module.
sub read_code ($image) {
    my ($svg) = map { decode_base64($_) } $image =~ m{\Adata:image/svg\+xml;base64,(.*)\z};
    my ($side) = $svg =~ /viewBox="0 0 (\d+) \1"/;
    my @rows = map { "\xff" x $side } 1 .. $side;
    my ($path) = $svg =~ /<path d="([^"]*)"/;
    substr $rows[$2], $1, $3, "\0" x $3 while $path =~ /M(\d+) (\d+)h(\d+)v1h-\d+z/g;

    my $canvas = Barcode::ZBar::Image->new;
    $canvas->set_format('Y800');
    $canvas->set_size(4 * $side, 4 * $side);
    $canvas->set_data(join '', map { (s/(.)/$1$1$1$1/gsr) x 4 } @rows);
    Barcode::ZBar::ImageScanner->new->scan_image($canvas);
    return map { $_->get_data } $canvas->get_symbols;
}

subtest 'the whole way' => sub {
    my $scan = browser(hall => 'nmgca');
    like $scan->{secret}, qr/\A[\w-]{43}\z/, '256 bits';
    is $scan->{expires_in}, 120, 'for two minutes';
    is $scan->{url}, "$portal->{addresses}{portal}/scan/$scan->{id}", "the page is the portal's own";
    is_deeply [read_code($scan->{image})], [$scan->{url}], 'the picture says the same to a reader';
    unlike $scan->{url} . $scan->{id}, qr/\Q$scan->{secret}\E/, 'and nothing of the secret';
    is state_with($scan), 'waiting', 'nobody has looked';
    is_problem(redeem($scan), 401, 'bad_code', 'nobody is let in');

    my $seen = look($phone, $scan)->json;
    is_deeply {%$seen{qw(state hall device place)}},
        {state => 'seen', hall => 'nmgca', device => 'Chrome, Windows', place => '127.0.0.*'},
        'the phone sees who asks';
    cmp_ok $seen->{expires_in}, '>', 110, 'and how long';
    is state_with($scan), 'seen', 'the browser, that it was looked at';
    is_problem(redeem($scan), 401, 'bad_code', 'which lets nobody in');
    is look($phone, $scan)->json->{state}, 'seen', 'a second look is the same';

    is approve($phone, $scan)->json->{state}, 'approved', 'approved';
    is state_with($scan), 'approved', 'the browser hears it';
    my $before = sessions_of($phone);
    my $answer = redeem($scan);
    is $answer->code, 201, 'and is let in' or diag $answer->body;
    is $answer->json->{account}{id}, $account, "as the phone's account";
    my $session = $scan->{client}->get('/api/session')->json->{session};
    is_deeply [@$session{qw(method device)}], ['scan', 'Chrome, Windows'], 'the session says how';
    is sessions_of($phone), $before + 1, 'the phone sees it among its sessions';
    is $phone->get('/api/session')->code, 200, 'and goes on';

    is_problem(redeem($scan), 401, 'bad_code', 'once');
    is state_with($scan), 'expired', 'then it is over';
    is_problem(look($phone, $scan), 404, 'not_found', 'for the phone too');

    my ($row) = map { from_json($_->{detail}) }
        @{ $portal->rows("SELECT detail FROM audit WHERE action = 'scan.approve' ORDER BY id DESC LIMIT 1") };
    is_deeply $row, {
        scan    => $scan->{id},
        browser => {device => 'Chrome,Windows', place => '127.0.0.*'},
        phone   => {device => 'unknown', place => '127.0.0.*'},
    }, 'recorded: who let in whom';
};

subtest 'who has only seen the code' => sub {
    my $scan = approved();
    my $before = sessions_of($phone);
    is_problem(redeem($scan, secret => $_), 401, 'bad_code', 'a wrong secret')
        for 'A' x 43, substr($scan->{secret}, 0, 42), "$scan->{secret}A", $scan->{id}, lc $scan->{secret};
    is_problem(redeem($scan, scan => 'A' x 20), 401, 'bad_code', 'another scan');
    is state_with($scan, 'A' x 43), 'expired', 'nor is anything told';
    is sessions_of($phone), $before, 'nobody came in';
    is redeem($scan)->code, 201, 'who has it is still let in';
    cmp_ok $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'session.refuse' AND detail LIKE '%scan%'"),
        '>', 5, 'refusals are recorded';
};

subtest 'fifty at once' => sub {
    my $scan   = approved();
    my $before = sessions_of($phone);
    my @answers = at_once(map { [$scan->{client}, POST => '/api/sessions',
        json => {method => 'scan', scan => $scan->{id}, secret => $scan->{secret}}] } 1 .. 50);
    my %seen;
    $seen{ $_->code }++ for @answers;
    is $seen{201}, 1, 'one is let in' or diag explain \%seen;
    is $seen{401}, 49, 'the others are not' or diag explain \%seen;
    is sessions_of($phone), $before + 1, 'there is one session more';
};

subtest 'another account' => sub {
    my $scan = browser();
    is_problem(approve($stranger, $scan), 409, 'conflict', 'must look before it approves');
    is look($phone, $scan)->code, 200, 'the phone looks';
    my $before = state_of($portal);
    is_problem(look($stranger, $scan), 404, 'not_found', 'then another account does not see it');
    is_problem($_->[1]($stranger, $scan), 404, 'not_found', "nor can $_->[0]")
        for ['approve', \&approve], ['refuse', \&refuse];
    is_unchanged($portal, $before, 'nothing changed');
    is state_with($scan), 'seen', 'it is as it was';
    is approve($phone, $scan)->code, 200, 'the phone approves';
    is_problem(look($stranger, $scan), 404, 'not_found', 'after that neither');
    is redeem($scan)->json->{account}{id}, $account, "it is the phone's account";

    $scan = browser();
    my %cookie = map { $_ => {Cookie => '__Host-caportal=' . ($_ eq 'phone' ? $phone : $stranger)->cookie} }
        qw(phone stranger);
    my @looks = at_once(map { [$phone, GET => "/api/scans/$scan->{id}", headers => $cookie{$_}] }
        (qw(phone stranger)) x 5);
    my @who = map { $looks[$_]->code == 200 ? $_ % 2 : () } 0 .. $#looks;
    is scalar(@who), 5, 'of two accounts that look at once one sees it';
    is scalar(grep { $_ == $who[0] } @who), 5, 'each time the same';
};

subtest 'refused' => sub {
    my $scan = browser();
    is look($phone, $scan)->code, 200, 'looked at';
    is refuse($phone, $scan)->json->{state}, 'refused', 'refused';
    is state_with($scan), 'refused', 'the browser hears it';
    is_problem(redeem($scan), 401, 'bad_code', 'and is not let in');
    is_problem(approve($phone, $scan), 409, 'conflict', 'it stays so');

    $scan = approved();
    is_problem(refuse($phone, $scan), 409, 'conflict', 'what was approved is decided');
    is redeem($scan)->code, 201, 'as well';
};

subtest 'too late' => sub {
    my $scan = approved();
    my ($left) = $portal->redis('PTTL', "caportal:scan:$scan->{id}") =~ /\A:(\d+)/;
    ok $left > 110_000 && $left <= 120_000, "two minutes: $left ms are left";
    $portal->redis('PEXPIRE', "caportal:scan:$scan->{id}", 1);
    select undef, undef, undef, 0.02;
    is_problem(redeem($scan), 401, 'bad_code', 'then it lets nobody in');
    is state_with($scan), 'expired', 'and says so';
    is_problem(approve($phone, $scan), 404, 'not_found', 'nor is there anything to approve');
};

subtest 'no chains' => sub {
    my $scan = approved();
    is redeem($scan)->code, 201, 'let in';
    my $next = browser();
    is look($scan->{client}, $next)->code, 200, 'looks at another code';
    is_problem(approve($scan->{client}, $next), 403, 'forbidden', 'but lets nobody in');
    is state_with($next), 'seen', 'nothing changed';
    is approve($phone, $next)->code, 200, 'the phone can';
};

subtest 'an account that wants other ways alone' => sub {
    my ($client, $other) = $portal->sign_in;
    my $before = approved($client);
    $portal->prove($client);
    my $ways = $client->put('/api/account/sign-in-ways', encode_json({ways => ['sms']}), 'application/json');
    is $ways->code, 204, 'is signed in to by SMS alone' or diag $ways->body;
    is_problem(redeem($before), 401, 'bad_code', 'what was approved before lets nobody in');
    my $again = $portal->sign_in_again($other);
    my $scan  = browser();
    is look($again, $scan)->code, 200, 'looked at';
    is_problem(approve($again, $scan), 403, 'forbidden', 'nor is another code approved');
    is state_with($scan), 'seen', 'it is as it was';
};

subtest 'only while the phone is signed in' => sub {
    for my $end (['signs out', sub ($client) { $client->delete('/api/session') }],
        ['signs out everywhere', sub ($client) { $client->delete('/api/sessions') }])
    {
        my ($client, $other) = $portal->sign_in;
        my $scan = approved($client);
        is $end->[1]($client)->code, 204, "the phone $end->[0]";
        my $refused = redeem($scan);
        is_problem($refused, 401, 'bad_code', 'nobody is let in by it');
        is $refused->headers->set_cookie, undef, 'no cookie';
        is $scan->{client}->get('/api/session')->code, 401, 'no session';
        is sessions_of($portal->sign_in_again($other)), 1, 'none is left';
    }

    my ($client) = $portal->sign_in;
    my $scan = approved($client);
    $portal->change("UPDATE account SET state = 'disabled' WHERE public_id = ?",
        $client->get('/api/session')->json->{account}{id});
    is_problem(redeem($scan), 403, 'forbidden', 'an account that was disabled meanwhile');
};

subtest 'requests of other pages' => sub {
    my $scan = browser();
    is look($phone, $scan)->code, 200, 'looked at';
    for my $origin (undef, 'null', 'https://evil.example') {
        is_problem($phone->post("/api/scans/$scan->{id}/approve", {}, origin => $origin), 403, 'bad_origin',
            'a page of ' . ($origin // 'nowhere') . ' approves nothing');
    }
    is state_with($scan), 'seen', 'it is as it was';
    my $host = $portal->client->request(POST => '/api/scans', json => {}, headers => {Host => 'evil.example'},
        origin => 'https://evil.example');
    unlike $host->json->{url} // '', qr/evil/, 'the page to be scanned is not where the request says';
};

subtest 'where it is not offered' => sub {
    my $hall  = read_file('conf/halls/nmgca.conf') =~ s/(sign_in .*?) scan;/$1;/r;
    my $other = Caportal::Test->start(edit => sub ($text) { $text =~ s/^ +include +halls.*/$hall/mr });
    is_problem($other->client->post('/api/scans'), 422, 'invalid_fields', 'begins none', {method => 'not_sold'});
    is_problem($other->client->post('/api/scans', {hall => 'nmgca'}), 422, 'invalid_fields', 'nor by its name',
        {hall => 'not_sold'});
    is_problem($other->client->post('/api/sessions', {method => 'scan', scan => 'x', secret => 'x'}), 422,
        'invalid_fields', 'nor redeems one', {method => 'not_sold'});
};

subtest 'not without end' => sub {
    my $last = 201;
    for (1 .. 70) {
        my $answer = $portal->client->post('/api/scans');
        $last = $answer->code;
        if ($last == 429) {
            cmp_ok $answer->headers->header('Retry-After'), '>', 0, 'to be tried again';
            last;
        }
    }
    is $last, 429, 'one address begins only so many';
};

# Everything that Redis was ever told stands in its append-only file.
subtest 'what Redis knows' => sub {
    $portal->redis('EVAL', "for _, key in ipairs(redis.call('KEYS', 'caportal:scan-address:*')) do"
            . " redis.call('DEL', key) end", 0);
    my $scan   = approved();
    my $memory = join '', map { read_file($_) } glob $portal->home . '/data/redis/*/*.aof';
    cmp_ok index($memory, $scan->{id}), '>', 0, 'the scan';
    is index($memory, $scan->{secret}), -1, 'but not its secret';
};

done_testing;
