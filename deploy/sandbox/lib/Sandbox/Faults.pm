package Sandbox::Faults;

# What a test has arranged to go wrong: for each party, how many of the next
# answers come late, fail, or both.

use v5.36;
use Mojo::Base -base;
use warnings FATAL => 'all';

use Mojo::IOLoop;
use Sandbox::Value qw(is_whole);

use constant PARTIES => qw(sms identity);

# setting, least, most
use constant SETTINGS =>
  (['delay_ms', 0, 600_000], ['status', 400, 599], ['times', 1, 1_000_000]);

has plans => sub { {} };

# Answers that are late, by their timers.
has late => sub { {} };

# Returns all that is wrong as [{item, reason}]; when nothing is, the plans
# are in force.
sub plan ($self, $input) {
  return [{item => '', reason => 'must be a JSON object'}] if ref $input ne 'HASH';
  my %known = map { $_ => 1 } PARTIES;
  my @wrong = map { $known{$_} ? _check_plan($_, $input->{$_}) : {item => $_, reason => 'unknown party'} }
    sort keys %$input;
  return \@wrong if @wrong;
  $self->plans->{$_} = {times => 1, %{$input->{$_}}} for keys %$input;
  return [];
}

sub _check_plan ($party, $plan) {
  return {item => $party, reason => 'must be an object'} if ref $plan ne 'HASH';
  my %setting = map { $_->[0] => $_ } SETTINGS;
  my @wrong   = map { {item => "$party.$_", reason => 'unknown setting'} }
    grep { !$setting{$_} } sort keys %$plan;
  for my $rule (grep { exists $plan->{$_->[0]} } SETTINGS) {
    my ($name, $least, $most) = @$rule;
    my $value = $plan->{$name};
    next if is_whole($value) && $value >= $least && $value <= $most;
    push @wrong, {item => "$party.$name", reason => "must be a number from $least to $most"};
  }
  push @wrong, {item => $party, reason => 'needs delay_ms or status'}
    if !exists $plan->{delay_ms} && !exists $plan->{status};
  return @wrong;
}

# The fault for this answer of the party, or nothing; uses one up.
sub take ($self, $party) {
  my $plan = $self->plans->{$party} // return;
  delete $self->plans->{$party} if --$plan->{times} == 0;
  return $plan;
}

# Answers after so long, or when nothing is arranged any more.
sub later ($self, $delay_ms, $answer) {
  my $timer;
  $timer = Mojo::IOLoop->timer(
    $delay_ms / 1000 => sub ($loop) {
      delete $self->late->{$timer};
      $answer->();
    }
  );
  $self->late->{$timer} = $answer;
  return;
}

sub clear ($self) {
  my $late = $self->late;
  $self->plans({})->late({});
  for my $timer (keys %$late) {
    Mojo::IOLoop->remove($timer);
    $late->{$timer}->();
  }
  return;
}

1;
