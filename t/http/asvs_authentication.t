use v5.36;
use utf8;
use warnings FATAL => 'all';

# What ASVS 5.0 demands of signing in, one subtest an item: its number here and the requirement's. Time alone is in
# enumeration.t; what else guards passwords and codes in password_guard.t, sms_limits.t and captcha.t.

use Caportal::Files qw(read_file);
use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Walk qw(is_problem at_once);
use DBI;
use Digest::SHA qw(hmac_sha256_hex sha256_hex);
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use Test::More;

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/(caportal_password threads)=2 max_queue=8/$1=4 max_queue=64/r;
});
my $visitor = $portal->client;

# The codes before it are gone.
sub send_code ($phone, $purpose = 'login', $client = $visitor) {
    $portal->forget_limits;
    return $client->post('/api/sms-codes', {phone => $phone, purpose => $purpose});
}

sub code_for ($phone) {
    return $portal->sandbox(get => '/inbox', form => {phone => $phone})->json->[0]{params}{code};
}

sub by_sms ($phone, $code, %more) {
    return $portal->client->post('/api/sessions', {method => 'sms', phone => $phone, code => $code, %more});
}

sub by_password ($login, $password) {
    $portal->forget_limits;
    return $portal->client->post('/api/sessions', {method => 'password', login => $login, password => $password});
}

sub set_password ($client, $password, @current) {
    return $client->request(PUT => '/api/account/password',
        json => {password => $password, (map { (current_password => $_) } @current)});
}

sub other_than ($code, $step = 1) { return sprintf '%06d', ($code + $step) % 1_000_000 }

# The key of the only code that is out, and what is stored there.
sub record () {
    my $key = $portal->redis_value('EVAL', "return redis.call('KEYS', 'caportal:sms:*')[1]", 0);
    return ($key, $portal->redis_value('EVAL', "return table.concat(redis.call('HGETALL', '$key'), ' ')", 0));
}

sub secret_of ($stack, $name) { return read_file("$stack->{home}/conf/secrets/$name") =~ s/\s+\z//r }

sub database_lets_in ($stack, $user, $password) {
    my $socket = $stack->service('mariadb')->socket;
    return defined DBI->connect("DBI:MariaDB:mariadb_socket=$socket", $user, $password,
        {RaiseError => 0, PrintError => 0});
}

# The first word of its answer to who has not signed in.
sub redis_says ($stack, $line) {
    my $client = IO::Socket::UNIX->new(Peer => $stack->service('redis')->socket) or die "redis: $!\n";
    print {$client} "$line\r\n";
    $client->flush;
    return (split ' ', <$client> // '')[0];
}

subtest '36 (6.2.1/6.2.9): 8 to 128 characters, none cut off' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $phone = $journey->{phone};
    my $text  = join '', map { chr 0x4e00 + 37 * $_ } 1 .. 129;
    my $last;

    is_problem(set_password($client, 'x7#Qk!m'), 422, 'invalid_fields', 'seven', {password => 'too_short'});
    is_problem(set_password($client, $text), 422, 'invalid_fields', 'one too many', {password => 'too_long'});
    for my $length (8, 64, 128) {
        for my $password (substr($text, 0, $length), substr('k7#Qx!m2Wz9p' x 11, 0, $length)) {
            is set_password($client, $password, defined $last ? $last : ())->code, 200, "$length of them";
            $last = $password;
            is by_password($phone, $password)->code, 201, '... sign in';
            is_problem(by_password($phone, substr $password, 0, -1), 401, 'bad_credentials',
                '... not without the last');
            is_problem(by_password($phone, "$password "), 401, 'bad_credentials', '... nor with a space behind')
                if $length < 128;
        }
    }
};

subtest '37 (6.2.4): the 3,000 that are most common' => sub {
    my $file = '/usr/share/john/password.lst';
    plan skip_all => 'the package john-data is not installed' if !-e $file;

    # The unit test looks at all of them; here is every twelfth.
    my @long = grep { length >= 8 && !/\A#!comment/ } split /\n/, read_file($file);
    my $client = $portal->sign_in;
    my @through;
    for my $i (grep { $_ % 12 == 0 } 0 .. $#long) {
        my $answer = set_password($client, $long[$i]);
        push @through, $long[$i] if $answer->code != 422 || $answer->json->{strength} ne 'weak';
    }
    is_deeply \@through, [], 'are refused, and told to be weak';
    is set_password($client, 'i!eqh524')->json->{strength}, 'fair', 'one that is not is taken';

    my ($other, $journey) = $portal->sign_in(person => 1);
    my $id_number = $journey->{person}{id_number};
    is_problem(set_password($other, $_->[1]), 422, 'invalid_fields', "$_->[0] too", {password => 'common'})
        for ['the own number', $journey->{phone}], ['the end of the ID number twice', substr($id_number, -6) x 2],
        ['the birthday', substr $id_number, 6, 8];
};

subtest '38 (6.3.1): a stolen list' => sub {
    $portal->forget_limits;
    my $before = $visitor->get('/status')->json->{events}{password_wrong};
    my @answers = map {
        $visitor->post('/api/sessions', {method => 'password', login => new_phone(), password => "list-$_"})
    } 1 .. 30;
    is $visitor->get('/status')->json->{events}{password_wrong} - $before, 3, 'of thirty three are looked at';
    is_problem($answers[-1], 403, 'captcha_required', 'for the others a captcha is demanded');
};

# What the stack's own set-up of deploy/ leaves behind, on a server of its own: nobody and nothing that nobody made.
subtest '39 (6.3.2): no default account after installation' => sub {
    my $fresh = Caportal::Test->start(own_database => 1);
    my $stack = $fresh->stack;
    my $count = sub ($table) { $fresh->value("SELECT COUNT(*) FROM $table") };

    is $count->($_), 0, "$_: no row" for qw(account account_login unit unit_member person certificate);
    my @staff = sort map { $_->{name} } @{ $fresh->addresses->{staff} };
    is_deeply [sort map { $_->{name} } @{ decode_json($fresh->ctl('staff', 'list')) }], \@staff,
        'of staff those who were added with a certificate of their own';
    is_deeply [map { $_->{c} } @{ $fresh->rows('SHOW COLUMNS FROM staff LIKE "%password%"') }], [],
        'who have no password at all';
    is $fresh->redis_value('EVAL', "return #redis.call('KEYS', 'caportal:sessions:*')", 0), 0, 'nobody is signed in';

    my $anybody = $fresh->client;
    for (['admin', 'admin'], ['root', 'root'], ['administrator', 'password'], ['caportal', 'caportal'],
        ['test', '12345678'])
    {
        $fresh->forget_limits;
        is_problem($anybody->post('/api/sessions', {method => 'password', login => $_->[0], password => $_->[1]}), 401,
            'bad_credentials', "$_->[0] is nobody");
    }
    is_problem($fresh->client('certificate')->get('/staff/api/session'), 401, 'certificate_missing', 'nor are staff');

    my %secret = map { $_ => secret_of($stack, $_) } map { ("database-$_", "redis-$_") } qw(admin web signer);
    my %other  = map { $_ => secret_of($portal->stack, $_) } keys %secret;
    my %seen;
    $seen{$_}++ for values %secret, values %other;
    is scalar(grep { $_ > 1 } values %seen), 0, 'no secret of an installation is that of another';
    is scalar(grep { length >= 32 } keys %seen), 12, 'each is long';
    is scalar(grep { (stat "$stack->{home}/conf/secrets/$_")[2] & 07 } keys %secret), 0, 'and not for everybody to read';

    my %ours = map { ("caportal_$_" => "database-$_") } qw(admin web signer);
    is $fresh->value('SELECT COUNT(*) FROM mysql.user WHERE Host <> "localhost"'), 0, 'no database user from elsewhere';
    my @users = map { $_->{User} } @{ $fresh->rows('SELECT User FROM mysql.user') };
    is_deeply [grep { my $name = $_; !grep { $_ eq $name } @users } sort keys %ours], [], 'our database users are there';
    for my $user (@users) {
        my ($how) = $fresh->database->selectrow_array("SHOW CREATE USER '$user'\@'localhost'");
        my $made  = exists $ours{$user};
        ok $made || $how =~ /ACCOUNT LOCK|VIA unix_socket|OR unix_socket/, "$user: made by us, or no password";
        is_deeply [grep { database_lets_in($stack, $user, $_) } '', $user, qw(caportal password root mysql)], [],
            '... which none of the usual ones is' if $made;
        ok database_lets_in($stack, $user, $secret{ $ours{$user} }), '... but its own' if $made;
        is scalar(() = $how =~ /USING '(?!invalid')/g), 0, '... nobody has one' if !$made;
    }

    is redis_says($stack, 'PING'), '-NOAUTH', 'Redis answers nobody';
    like redis_says($stack, "AUTH default $_"), qr/\A-WRONGPASS/, "... not with \"$_\"" for qw(default caportal redis);
};

subtest '42 (6.5.1): a code works once' => sub {
    my $phone = new_phone();
    is send_code($phone)->code, 202, 'a code';
    my $code = code_for($phone);
    my %seen;
    $seen{ $_->code }++ for at_once(map { [$visitor, POST => '/api/sessions', json => {method => 'sms', phone => $phone,
        code => $code}] } 1 .. 50);
    is_deeply \%seen, {201 => 1, 401 => 49}, 'fifty at once: one signs in';
    is $portal->redis_value('LLEN', 'caportal:sms-returned:all'), 1, 'one code came back';
    is_problem(by_sms($phone, $code), 401, 'bad_code', 'and no more after that');
};

subtest '43 (6.5.2): codes are not stored' => sub {
    my $phone = new_phone();
    $portal->forget_keys('sms:*');
    my $request = send_code($phone)->json->{request};
    my $code = code_for($phone);
    my ($key, $stored) = record();
    my ($mac) = $stored =~ /mac ([0-9a-f]{64})/;
    ok $mac, 'but an authentication code of them';
    isnt $mac, $_, 'which is no hash that can be tried through'
        for sha256_hex($code), sha256_hex("$phone$code"), hmac_sha256_hex($code, $phone),
        hmac_sha256_hex($phone, $code);

    my $memory = join '', map { read_file($_) } glob $portal->home . '/data/redis/*/*.aof';
    unlike $memory, qr/(?<![0-9a-f])$code(?![0-9a-f])/, 'Redis was never told it';
    unlike $memory, qr/\Q$request\E/, 'nor what binds it';
    my $rows = join '|', map { map { $_ // '' } values %$_ } @{ $portal->rows('SELECT * FROM sms_code') };
    unlike $rows, qr/(?<!\d)$code(?!\d)/, 'nor was MySQL';
    unlike $portal->logs, qr/(?<!\d)$code(?!\d)/, 'nor any log';
};

subtest '44 (6.5.5): a code lives for five minutes' => sub {
    my $phone = new_phone();
    $portal->forget_keys('sms:*');
    my $said  = send_code($phone)->json->{expires_in};
    my $code  = code_for($phone);
    my ($key) = record();
    my $left  = $portal->redis_value('TTL', $key);
    is $said, 300, 'as it is told';
    ok $left > 280 && $left <= 300, "and as it is: $left s are left";
    $portal->redis('PEXPIRE', $key, 1);
    select undef, undef, undef, 0.02;
    is_problem(by_sms($phone, $code), 401, 'bad_code', 'after that it is dead');
};

subtest '45 (6.6.2): a code is for the request that asked for it' => sub {
    my ($one, $two) = (new_phone(), new_phone());
    my @request = map { send_code($_)->json->{request} } $one, $two;
    my %code = map { $_ => code_for($_) } $one, $two;

    is_problem(by_sms($two, $code{$one}), 401, 'bad_code', "another number's") if $code{$one} ne $code{$two};
    is_problem(by_sms($one, $code{$one}, request => $request[1]), 401, 'bad_code', "with another's request");
    is_problem(by_sms($one, $code{$one}, request => $_), 401, 'bad_code', 'with a request that is none')
        for 'x', substr($request[0], 0, -1), $request[0] =~ s/(.)\z/$1 eq '0' ? '1' : '0'/er;
    is by_sms($one, $code{$one}, request => $request[0])->code, 201, 'with its own';
    is by_sms($two, $code{$two})->code, 201, 'or without one';

    my $again = send_code($one)->json->{request};
    isnt $again, $request[0], 'each has another';
    is_problem(by_sms($one, code_for($one), request => $request[0]), 401, 'bad_code', 'with the request before')
        if code_for($one) ne $code{$one};

    my ($client, $journey) = $portal->sign_in;
    my ($stranger) = $portal->sign_in;
    is send_code(my $new = new_phone(), 'change_phone', $client)->code, 202, 'a code for a new number';
    is_problem(by_sms($new, code_for($new)), 401, 'bad_code', 'signs nobody in');
    is send_code($journey->{phone}, 'confirm', $client)->code, 202, 'a code that proves';
    is_problem(by_sms($journey->{phone}, code_for($journey->{phone})), 401, 'bad_code', 'signs nobody in either');
};

subtest '46 (6.6.3): five tries' => sub {
    my $phone = new_phone();
    is send_code($phone)->json->{tries}, 5, 'are told';
    my $code = code_for($phone);
    my @left = map { by_sms($phone, other_than($code, $_))->json->{tries_left} } 1 .. 5;
    is_deeply \@left, [4, 3, 2, 1, 0], 'so is how many are left';
    is_problem(by_sms($phone, $code), 401, 'bad_code', 'then the right one is dead');
    is by_sms(new_phone(), $code)->json->{tries_left}, 0, 'where there was none, none is left';

    send_code($phone);
    $code = code_for($phone);
    my @answers = at_once(map { [$visitor, POST => '/api/sessions', json => {method => 'sms', phone => $phone,
        code => other_than($code, $_)}] } 1 .. 40);
    is scalar(grep { $_->code == 201 } @answers), 0, 'forty guesses at once';
    is_problem(by_sms($phone, $code), 401, 'bad_code', 'are five tries too');
};

done_testing;
