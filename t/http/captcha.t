use v5.36;
use utf8;
use warnings FATAL => 'all';

# Captchas: pictures and sums in words, good for one answer; where one is demanded before a code is sent; how many one
# client gets.

use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Captcha qw(captcha sum_of);
use Caportal::Test::Curl qw(curl);
use Caportal::Test::Walk qw(is_problem at_once);
use Mojo::Util qw(b64_decode decode);
use Test::More;

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/sms=off password=3 images=0 questions=0/sms=always password=3 images=30 questions=40/r;
});
my $visitor = $portal->client;

sub text_captcha (%option) {
    return $visitor->get('/api/captcha?kind=text', headers => {'Accept-Language' => 'zh-CN'}, %option)->json;
}

sub send_code (%body) {
    return $visitor->post('/api/sms-codes', {phone => new_phone(), purpose => 'login', %body});
}

sub answer_with ($given, $answer) {
    return send_code(captcha_id => $given->{id}, captcha_answer => "$answer");
}

subtest 'a picture' => sub {
    my @given = map { $visitor->get('/api/captcha') } 1 .. 2;
    my ($one, $two) = map { $_->json } @given;
    my $png = b64_decode($one->{image} =~ s{\Adata:image/png;base64,}{}r);

    is $given[0]->code, 200, 'is given';
    is $given[0]->headers->cache_control, 'no-store', 'and kept nowhere';
    is substr($png, 0, 8), "\x89PNG\r\n\x1a\n", 'as a PNG';
    is join('x', unpack 'N2', substr $png, 16, 8), '180x64', 'of its size';
    is $one->{expires_in}, 300, 'for five minutes';
    isnt $one->{id}, $two->{id}, 'each has an id of its own';
    isnt $one->{image}, $two->{image}, 'and another picture';
    is_problem(answer_with($one, 'wrong'), 422, 'bad_captcha', 'a wrong answer');
    is_problem($visitor->get("/api/captcha?$_->[0]"), 400, 'bad_query', $_->[0], {$_->[1] => $_->[2]})
        for ['kind=song', 'kind', 'choice'], ['size=9', 'size', 'unknown'];
};

subtest 'a question' => sub {
    my $english = text_captcha(headers => {'Accept-Language' => 'en'});
    like $english->{question}, qr/\A[A-Z][a-z -]+\b.*\?\z/, "in the caller's language: $english->{question}";

    my @zh = map {"十$_"} '', qw(一 二 三 四 五 六 七 八 九);
    my %form = (
        'in digits'            => sub ($n) {$n},
        'with spaces'          => sub ($n) {" $n "},
        'in full-width digits' => sub ($n) { $n =~ tr/0-9/０-９/r },
        'in Chinese numerals'  => sub ($n) {
            my @ones = ('', qw(一 二 三 四 五 六 七 八 九));
            return $n < 10 ? $n == 0 ? '零' : $ones[$n] : ($n < 20 ? '' : $ones[ int $n / 10 ]) . '十' . $ones[ $n % 10 ];
        },
    );
    for my $how (sort keys %form) {
        my $given = text_captcha();
        my $said  = $form{$how}->(sum_of($given->{question}));
        is answer_with($given, $said)->code, 202, "$given->{question} $said: $how";
    }
};

subtest 'is good for one answer' => sub {
    is_problem(send_code(), 403, 'captcha_required', 'none');
    my $given = text_captcha();
    my $right = sum_of($given->{question});
    is_problem(send_code(captcha_id => $given->{id}), 403, 'captcha_required', 'without an answer');
    is_problem(send_code(captcha_answer => "$right"), 403, 'captcha_required', 'without an id');
    is_problem(answer_with($given, $right + 1), 422, 'bad_captcha', 'wrong');
    is_problem(answer_with($given, $right), 422, 'bad_captcha', 'right, but the second');

    $given = text_captcha();
    $right = sum_of($given->{question});
    is answer_with($given, $right)->code, 202, 'right';
    is_problem(answer_with($given, $right), 422, 'bad_captcha', 'once more');
    is_problem(send_code(captcha_id => 'x' x 20, captcha_answer => '5'), 422, 'bad_captcha', 'of no captcha');

    my ($one, $two) = (text_captcha(), text_captcha());
    is_problem(answer_with($one, sum_of($two->{question})), 422, 'bad_captcha', "another's answer")
        if sum_of($one->{question}) != sum_of($two->{question});

    $given = text_captcha();
    $portal->redis('PEXPIRE', "caportal:captcha:$given->{id}", 1);
    select undef, undef, undef, 0.02;
    is_problem(answer_with($given, sum_of($given->{question})), 422, 'bad_captcha', 'late');

    $given = text_captcha();
    my @answers = at_once(map { [$visitor, POST => '/api/sms-codes', json => {phone => new_phone(), purpose => 'login',
        captcha_id => $given->{id}, captcha_answer => sum_of($given->{question})}] } 1 .. 30);
    is scalar(grep { $_->code == 202 } @answers), 1, 'thirty at once: one is sent';
};

subtest 'what is wrong anyway uses none up' => sub {
    my $given = text_captcha();
    my %answer = (captcha_id => $given->{id}, captcha_answer => sum_of($given->{question}));
    is_problem(send_code(phone => '12345', %answer), 422, 'invalid_fields', 'no number', {phone => 'format'});
    is send_code(%answer)->code, 202, 'the answer is good still';
};

subtest 'what Redis knows' => sub {
    my $given = text_captcha();
    like $portal->redis_value('HGET', "caportal:captcha:$given->{id}", 'mac'), qr/\A[0-9a-f]{64}\z/,
        'is an authentication code';
    my $keys = $portal->redis_value('EVAL',
        "return table.concat(redis.call('KEYS', 'caportal:captcha-given:*'), ' ')", 0);
    like $keys, qr/127\.0\.0\.0\/24/, 'a network';
    unlike $keys, qr/127\.0\.0\.1(?!\d)/, 'no address';
};

subtest 'how many' => sub {
    $portal->redis('FLUSHALL');
    my $take = sub ($from, $query = '') {
        return curl($portal->addresses->{portal} . "/api/captcha$query", ca => $portal->addresses->{server_ca},
            folder => $portal->home, words => ['--interface', $from]);
    };
    my @codes = map { $take->('127.0.0.21', '?kind=text')->{status} } 1 .. 41;
    is_deeply \@codes, [(200) x 40, 429], 'questions of one address';
    my $refused = $take->('127.0.0.21', '?kind=text');
    is $refused->{json}{code}, 'rate_limited', 'then it is too often';
    cmp_ok $refused->{headers}{'retry-after'}[0], '>', 500, 'for ten minutes';
    is $take->('127.0.0.21')->{status}, 200, 'a picture is another matter';
    is $take->('127.0.0.22', '?kind=text')->{status}, 200, "another address's too";

    # As if others of the network had taken theirs.
    my $taken = "caportal:captcha-given:image:127.0.0.0/24";
    cmp_ok $portal->redis_value('GET', $taken), '>=', 1, 'its network is counted';
    $portal->redis('SET', $taken, 300, 'EX', 600);
    is $take->('127.0.0.23')->{status}, 429, 'a network has ten times as many';
    is $take->('127.0.1.23')->{status}, 200, 'another network its own';
};

subtest 'without Redis' => sub {
    my %answer = captcha($portal->client);
    $portal->kill('redis');
    is_problem($visitor->get('/api/captcha'), 503, 'session_store_unavailable', 'none is given');
    is_problem(send_code(%answer), 503, 'session_store_unavailable', 'none is believed');
    $portal->restart('redis');
};

subtest 'adaptive' => sub {
    my $calm = Caportal::Test->start(edit => sub ($text) { return $text =~ s/sms=off password=/sms=adaptive password=/r });
    my $ask  = sub ($phone, %more) {
        $calm->forget_keys('sms-minute:*');
        return $calm->client->post('/api/sms-codes', {phone => $phone, purpose => 'login', %more});
    };
    my $phone = new_phone();
    is $ask->($phone)->code, 202, "a number's first";
    is $ask->($phone)->code, 202, 'its second';
    is_problem($ask->($phone), 403, 'captcha_required', 'its third');
    is $ask->($phone, captcha($calm->client))->code, 202, 'with a captcha';
    is_problem($ask->(new_phone()), 403, 'captcha_required', 'nor does the address get more without one');
    $calm->redis('FLUSHALL');
    is_problem($ask->(new_phone()), 403, 'captcha_required', 'also when Redis has forgotten');
    $calm->forget_limits;
    is $ask->(new_phone())->code, 202, 'in another hour it does';
};

done_testing;
