use v5.36;
use utf8;
use warnings FATAL => 'all';

# ASVS 5.0 6.3.8: whether somebody has an account is told neither by bytes nor by time. A wrong password for a login
# that somebody has, and for one that nobody has, in pairs; CAPORTAL_TEST_PAIRS says how many (2000 for a release).

use Caportal::Sample qw(new_phone);
use Caportal::Test;
use List::Util qw(shuffle);
use Test::More;
use Time::HiRes qw(time);

# Of a normal distribution: one run in 16,000 is beyond it by chance.
use constant LIMIT => 4;

my $pairs  = $ENV{CAPORTAL_TEST_PAIRS} // 60;
my $portal = Caportal::Test->start(edit => sub ($text) { return $text =~ s/password=3/password=0/r });
my ($client, $journey) = $portal->sign_in;
my $visitor = $portal->client;

$portal->set_password($client, 'Tie-mu-zhen 1206');

# Without what differs between any two answers.
sub bytes_of ($answer) { return $answer->code . $answer->body =~ s/"request_id":"\w+"//r =~ s/"request":"[\w-]+"//r }

# How far two samples are from being one, by Mann and Whitney: a value of a normal distribution. Ties get their mean.
sub apart ($one, $two) {
    my ($n, $m) = (scalar @$one, scalar @$two);
    my @all = sort { $a->[0] <=> $b->[0] } map({ [$_, 1] } @$one), map({ [$_, 0] } @$two);
    my ($sum, $i) = (0, 0);
    while ($i < @all) {
        my $j = $i;
        $j++ while $j < @all && $all[$j][0] == $all[$i][0];
        $sum += ($i + $j + 1) / 2 for grep { $_->[1] } @all[$i .. $j - 1];
        $i = $j;
    }
    my $u = $sum - $n * ($n + 1) / 2;
    return ($u - $n * $m / 2) / sqrt($n * $m * ($n + $m + 1) / 12);
}

sub median (@values) { return (sort { $a <=> $b } @values)[ @values / 2 ] }

# The two kinds in turn, in an order that chance decides; their times, in milliseconds.
sub measure ($count, %ask) {
    my (%times, %bytes);
    for my $pair (1 .. $count) {
        $portal->forget_limits if $pair % 4 == 1;
        for my $kind (shuffle sort keys %ask) {
            my $begin  = time;
            my $answer = $ask{$kind}->();
            push @{ $times{$kind} }, (time - $begin) * 1000;
            $bytes{$kind}{ bytes_of($answer) }++;
        }
    }
    return (\%times, \%bytes);
}

sub by_password ($login) {
    return $visitor->post('/api/sessions', {method => 'password', login => $login, password => 'wrong-' . rand});
}

subtest 'the measure itself' => sub {
    my @same  = map { rand } 1 .. 200;
    my @other = map { rand } 1 .. 200;
    cmp_ok abs apart(\@same, \@other), '<', LIMIT, 'what is the same is not told apart';
    cmp_ok abs apart(\@same, [map { $_ + 0.3 } @other]), '>', LIMIT, 'what differs is';
};

subtest "41 (6.3.8): wrong passwords, $pairs pairs" => sub {
    by_password($_) for new_phone(), $journey->{phone};
    my ($times, $bytes) = measure($pairs,
        known   => sub { by_password($journey->{phone}) },
        unknown => sub { by_password(new_phone()) });

    my $z = apart($times->{known}, $times->{unknown});
    my $said = sprintf 'median %.2f ms and %.2f ms, z = %.2f',
        (map { median(@{ $times->{$_} }) } qw(known unknown)), $z;
    cmp_ok abs $z, '<', LIMIT, "their time tells nothing: $said";
    diag $said if $ENV{CAPORTAL_TEST_PAIRS};
    is_deeply $bytes->{known}, $bytes->{unknown}, 'nor do their bytes';
    like((keys %{ $bytes->{known} })[0], qr/\A401.*bad_credentials/, 'all were looked at');
};

subtest '41 (6.3.8): codes' => sub {
    my ($known, $unknown) = map {
        $portal->forget_limits;
        bytes_of($visitor->post('/api/sms-codes', {phone => $_, purpose => 'login'}))
    } $journey->{phone}, new_phone();
    is $known, $unknown, 'a code for who has an account and for who has none';

    my @refused = map { bytes_of($visitor->post('/api/sessions', {method => 'sms', phone => $_, code => '000000x'})) }
        $journey->{phone}, new_phone();
    $portal->redis('FLUSHALL');
    my @gone = map { bytes_of($visitor->post('/api/sessions', {method => 'sms', phone => $_, code => '000000x'})) }
        $journey->{phone}, new_phone();
    is $gone[0], $gone[1], 'a wrong code, where none was sent';
};

done_testing;
