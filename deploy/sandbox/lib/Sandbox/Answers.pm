package Sandbox::Answers;

# The identity answers already given, by request id: asked again, a vendor
# answers the same and does not charge twice.

use v5.36;
use Mojo::Base 'Sandbox::Store';
use warnings FATAL => 'all';

use constant KEPT => 10_000;

has given => sub { [] };

sub file_name ($self) {'answers.json'}

sub dump ($self) { return $self->given }

sub fill ($self, $given) {
  $self->{by_id} = {map { $_->{requestId} => $_ } @$given};
  return $self->given($given);
}

sub find ($self, $request_id) { return $self->{by_id}{$request_id} }

# Only the digest of the question is kept, for the question holds a person's
# data and the answer does not.
sub add ($self, $request_id, $digest, $answer) {
  my $given = $self->given;
  my $entry = {requestId => $request_id, digest => $digest, answer => $answer};
  push @$given, $entry;
  $self->{by_id}{$request_id} = $entry;
  delete $self->{by_id}{(shift @$given)->{requestId}} if @$given > KEPT;
  $self->changed;
  return;
}

1;
